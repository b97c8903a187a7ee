/* delivery: one event, one listener: whether it is for it, and how its position moves with it. Who
 * is live, and from which position on, resume.c decides, which calls down here; fan_out.c has the
 * short way of those to whom nothing of this applies. */
#include "streamer/delivery.h"

#include <string.h>
#include "common/partition.h"
#include "streamer/client.h"
#include "streamer/filter.h"
#include "streamer/frame.h"
#include "streamer/poll.h"
#include "streamer/replay.h"
#include "streamer/sse.h"
#include "streamer/stream.h"
#include "streamer/telling.h"

static bool hears(const struct stream *st, struct span name, unsigned partition)
{
	const struct topic *t = hub_find(&st->all->partitions[partition].hub, name);

	for (size_t i = 0; t && i < st->n_topics; i++)
		if (stream_topics(st)[i].topic == t)
			return true;
	return false;
}

/* An event of several partitions is for the listener where the first of its topics is that it
 * hears. */
static bool is_its_partition(const struct stream *st, const struct frame *f)
{
	const char *at = f->bytes + f->len, *end = at + f->names_len;

	for (; at < end; at += strlen(at) + 1) {
		unsigned partition = partition_of(span_of(at), st->all->n_partitions);
		if (hears(st, span_of(at), partition))
			return partition == f->partition;
	}
	return true;
}

bool delivery_wants(const struct stream *st, const struct frame *f)
{
	return filter_passes(st->filter, sse_event_name(f)) &&
	       (f->names_len == 0 || st->n_legs == 1 || is_its_partition(st, f));
}

/* With several positions the id that the event has is not all that the listener is to keep. */
static void hand_over(struct stream *st, struct frame *f)
{
	if (st->poll) {
		poll_add(st, f);
	} else if (st->n_legs == 1 || event_id_is_zero(f->id)) {
		client_push(st->client, f);
	} else {
		client_push_body(st->client, f);
		client_push_taken(st->client, telling_position(st));
	}
}

/* Its own id goes with it; after one that was passed over the position has to travel alone. */
static void pass(struct stream *st, struct frame *f)
{
	bool wanted = delivery_wants(st, f);

	if (wanted)
		hand_over(st, f);
	if (event_id_is_zero(f->id))
		return;
	wheel_remove(&st->unsent);
	if (!wanted && !st->poll)
		wheel_add(&st->all->unsent, &st->unsent, 0);
}

/* What comes from here on is read from the log when the client has taken what waits. Returns false
 * when memory is out: the client is closed. */
static bool leave_to_log(struct leg *leg)
{
	struct client *c = leg->stream->client;

	leg->replay = replay_new(leg->n_topics, leg->position, false);
	if (!leg->replay) {
		client_close(c, CLIENT_NO_MEMORY);
		return false;
	}
	leg->state = LEG_PACED;
	client_tell_when_empty(c);
	return true;
}

/* While another leg is sent what it missed, nothing counts against what may wait; so when the
 * socket takes no more, this leg too leaves to the log what is to come. */
static bool falls_behind(struct leg *leg)
{
	const struct client *c = leg->stream->client;

	if (c->limited || !c->blocked)
		return false;
	leave_to_log(leg);
	return true;
}

static void drop_topic(const struct leg *leg, uint64_t serial)
{
	for (size_t i = 0; i < leg->n_topics; i++)
		if (leg->topics[i].topic->serial == serial)
			replay_drop(leg->replay, i);
	leg->stream->client->all->events_dropped++;
}

/* More waits than may: the event is dropped, and with it what its topic brings until the listener
 * has taken what waits and was told. What other topics bring meanwhile is read from their logs. */
static bool is_dropped(struct leg *leg, const struct frame *f, uint64_t serial)
{
	if (leg->stream->poll || !client_is_full(leg->stream->client) ||
	    !delivery_wants(leg->stream, f))
		return false;
	client_limit(leg->stream->client, false);
	if (leave_to_log(leg))
		drop_topic(leg, serial);
	return true;
}

/* An event sent to several topics of the partition comes once for each; its id is at the position
 * then. */
void delivery_event(struct leg *leg, struct frame *f, uint64_t serial)
{
	bool has_id = !event_id_is_zero(f->id);

	if (has_id && event_id_compare(f->id, leg->position) <= 0)
		return;
	if (is_dropped(leg, f, serial) || (has_id && falls_behind(leg)))
		return;
	if (has_id)
		leg->position = f->id;
	pass(leg->stream, f);
}

void delivery_passed_over(struct leg *leg, uint64_t serial, unsigned n)
{
	if (leg->state != LEG_PACED || !leg->replay)
		return;
	for (size_t i = 0; i < leg->n_topics; i++)
		if (leg->replay->topics[i].dropped && leg->topics[i].topic->serial == serial)
			leg->stream->client->all->events_dropped += n;
}

void delivery_replay(struct leg *leg, struct frame *f)
{
	leg->position = f->id;
	if (delivery_wants(leg->stream, f))
		hand_over(leg->stream, f);
}

static bool listens(const struct leg *leg, uint64_t topic_serial)
{
	for (size_t i = 0; i < leg->n_topics; i++)
		if (leg->topics[i].topic->serial == topic_serial)
			return true;
	return false;
}

void delivery_catch_up(struct leg *leg, uint64_t since, bool foreign)
{
	const struct recent *recent = &leg->in->recent;

	for (uint64_t i = since; i < recent->next && leg->state == LEG_LIVE; i++) {
		const struct recent_event *e = recent_at(recent, i);
		if (listens(leg, e->topic_serial) && (foreign || !event_id_is_zero(e->frame->id)))
			delivery_event(leg, e->frame, e->topic_serial);
	}
}
