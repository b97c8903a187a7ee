/* delivery: from a message of Redis to the queues of its listeners: decoded once, formatted once,
 * one reference each. Who is live, and from which position on, streams.c decides, which calls down
 * here. */
#include "streamer/delivery.h"

#include <string.h>
#include <time.h>
#include "common/event.h"
#include "common/log.h"
#include "common/partition.h"
#include "common/topic.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/event_frame.h"
#include "streamer/filter.h"
#include "streamer/frame.h"
#include "streamer/poll.h"
#include "streamer/replay.h"
#include "streamer/seen.h"
#include "streamer/sse.h"
#include "streamer/stats.h"
#include "streamer/stream.h"
#include "streamer/telling.h"

/* ---- one event, one listener ---- */

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

/* While another leg is sent what it missed, nothing counts against what may wait; so when the
 * socket takes no more, this leg too leaves to the log what is to come. */
static bool falls_behind(struct leg *leg)
{
	struct client *c = leg->stream->client;

	if (c->limited || !c->blocked)
		return false;
	leg->replay = replay_new(leg->n_topics, leg->position, false);
	if (!leg->replay) {
		client_close(c, CLIENT_NO_MEMORY);
		return true;
	}
	leg->state = LEG_PACED;
	client_tell_when_empty(c);
	return true;
}

/* An event sent to several topics of the partition comes once for each; its id is at the position
 * then. */
static void deliver(struct leg *leg, struct frame *f)
{
	if (!event_id_is_zero(f->id)) {
		if (event_id_compare(f->id, leg->position) <= 0)
			return;
		if (falls_behind(leg))
			return;
		leg->position = f->id;
	}
	pass(leg->stream, f);
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
			deliver(leg, e->frame);
	}
}

/* ---- one event, all listeners ---- */

static void note_latency(struct streams *all, struct event_id id)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	stats_latency(all->stats,
		      ((double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6) - (double)id.ms);
}

/* Each event names its topic's one before: has that come? At the floor or below it, it may be no
 * event: the index has forgotten the topic. */
static void check_previous(struct partition *in, struct topic *t, const struct event_message *m)
{
	struct event_id known = event_id_compare(t->last_id, t->since) > 0 ? t->last_id : t->since;

	if (!event_id_is_zero(t->since) && event_id_compare(m->prev, known) > 0 &&
	    event_id_compare(m->prev, m->id) < 0 && event_id_compare(m->prev, in->floor) > 0)
		in->all->on_hole(in, t, known);
}

/* Returns false when the message is a copy of one that was delivered. */
static bool check_id(struct partition *in, struct topic *t, struct event_message *m)
{
	struct stats *stats = in->all->stats;

	if (m->ours && !redis_clock_believes(&in->clock, m->id, clock_seconds()))
		m->ours = false;
	if (!m->ours) {
		m->id = (struct event_id){0, 0};
		stats->published_foreign++;
		return true;
	}
	if (event_id_compare(m->id, t->last_id) <= 0) {
		stats->copies++;
		return false;
	}
	check_previous(in, t, m);
	t->last_id = m->id;
	heard_event(&in->heard, (struct span){t->name, t->name_len}, m->id);
	redis_clock_note(&in->clock, m->id, clock_seconds());
	note_latency(in->all, m->id);
	return true;
}

static void fan_out(struct partition *in, struct topic *t, struct frame *f)
{
	struct subscription *s, *following;

	recent_add(&in->recent, t->serial, f);
	TOPIC_EACH(t, s, following)
	{
		struct leg *leg = s->listener;
		if (leg->state == LEG_LIVE) {
			struct clients *clients = leg->stream->client->all;
			deliver(leg, f);
			if (clients->events_since == 0)
				clients->events_since = clock_seconds();
		}
	}
}

static void publish(struct partition *in, struct topic *t, struct event_message *m)
{
	struct streams *all = in->all;
	struct event_place place = {
		.partition = in->number,
		.n_partitions = all->cluster ? all->n_partitions : 0,
	};

	if (!check_id(in, t, m))
		return;
	all->stats->published +=
		event_id_is_zero(m->id) || seen_first(all->config.seen, in->number, m->id);
	if (t->listeners == 0 && !in->recent.recording)
		return; /* else who comes to what was read of it needs this, too */
	struct frame *f = event_frame(m, m->id, &place);
	if (!f) {
		log_error("out of memory: an event of a topic is lost to its listeners");
		all->stats->malformed++;
		return;
	}
	fan_out(in, t, f);
	frame_unref(f);
}

void delivery_message(struct partition *in, struct span channel, struct span payload)
{
	struct streams *all = in->all;
	struct event_message m;
	struct span name = topic_of_channel(&in->space, channel);
	struct topic *t = name.at ? hub_find(&in->hub, name) : NULL;

	if (!t)
		return;
	if (payload.len > all->config.max_message_size ||
	    event_decode(payload.at, payload.len, &m) != EVENT_OK) {
		all->stats->malformed++;
		log_debug("a message of %zu bytes on a subscribed channel is no event",
			  payload.len);
		return;
	}
	publish(in, t, &m);
	event_message_done(&m);
}
