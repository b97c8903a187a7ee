/* delivery: from a message of Redis to the queues of its listeners: decoded once, formatted once,
 * one reference each. Who is live, and from which position on, streams.c decides, which calls down
 * here. */
#include "streamer/delivery.h"

#include <time.h>
#include "common/event.h"
#include "common/log.h"
#include "common/topic.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/filter.h"
#include "streamer/frame.h"
#include "streamer/poll.h"
#include "streamer/sse.h"
#include "streamer/stats.h"
#include "streamer/stream.h"

static void hand_over(struct stream *st, struct frame *f)
{
	if (st->poll)
		poll_add(st, f);
	else
		client_push(st->client, f);
}

/* Its own id goes with it; after one that was filtered the position has to travel alone. */
static void pass(struct stream *st, struct frame *f)
{
	bool wanted = filter_passes(st->filter, sse_event_name(f));

	if (wanted)
		hand_over(st, f);
	if (event_id_is_zero(f->id))
		return;
	wheel_remove(&st->unsent);
	if (!wanted && !st->poll)
		wheel_add(&st->all->unsent, &st->unsent, 0);
}

/* An event sent to several topics comes once for each; its id is at the position then. */
static void deliver(struct stream *st, struct frame *f)
{
	if (!event_id_is_zero(f->id)) {
		if (event_id_compare(f->id, st->position) <= 0)
			return;
		st->position = f->id;
	}
	pass(st, f);
}

void delivery_replay(struct stream *st, struct frame *f)
{
	st->position = f->id;
	if (filter_passes(st->filter, sse_event_name(f)))
		hand_over(st, f);
}

static bool listens(const struct stream *st, uint64_t topic_serial)
{
	for (size_t i = 0; i < st->n_topics; i++)
		if (st->topics[i].topic->serial == topic_serial)
			return true;
	return false;
}

void delivery_catch_up(struct stream *st, uint64_t since, bool foreign)
{
	const struct recent *recent = &st->all->recent;

	for (uint64_t i = since; i < recent->next; i++) {
		const struct recent_event *e = recent_at(recent, i);
		if (listens(st, e->topic_serial) && (foreign || !event_id_is_zero(e->frame->id)))
			deliver(st, e->frame);
	}
}

static void note_latency(struct streams *all, struct event_id id)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	stats_latency(all->stats,
		      ((double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6) - (double)id.ms);
}

/* Each event names its topic's one before: has that come? At the floor or below it, it may be no
 * event: the index has forgotten the topic. */
static void check_previous(struct streams *all, struct topic *t, const struct event_message *m)
{
	struct event_id known = event_id_compare(t->last_id, t->since) > 0 ? t->last_id : t->since;

	if (!event_id_is_zero(t->since) && event_id_compare(m->prev, known) > 0 &&
	    event_id_compare(m->prev, m->id) < 0 && event_id_compare(m->prev, all->floor) > 0)
		all->on_hole(all, t, known);
}

/* Returns false when the message is a copy of one that was delivered. */
static bool check_id(struct streams *all, struct topic *t, struct event_message *m)
{
	if (m->ours && !redis_clock_believes(&all->clock, m->id, clock_seconds()))
		m->ours = false;
	if (!m->ours) {
		m->id = (struct event_id){0, 0};
		all->stats->published_foreign++;
		return true;
	}
	if (event_id_compare(m->id, t->last_id) <= 0) {
		all->stats->copies++;
		return false;
	}
	check_previous(all, t, m);
	t->last_id = m->id;
	heard_event(&all->heard, (struct span){t->name, t->name_len}, m->id);
	redis_clock_note(&all->clock, m->id, clock_seconds());
	note_latency(all, m->id);
	return true;
}

static void fan_out(struct streams *all, struct topic *t, struct frame *f)
{
	struct subscription *s, *following;

	recent_add(&all->recent, t->serial, f);
	TOPIC_EACH(t, s, following)
	{
		struct stream *st = s->listener;
		if (st->state == STREAM_LIVE) {
			deliver(st, f);
			if (st->client->all->events_since == 0)
				st->client->all->events_since = clock_seconds();
		}
	}
}

static void publish(struct streams *all, struct topic *t, struct event_message *m)
{
	if (!check_id(all, t, m))
		return;
	all->stats->published++;
	if (t->listeners == 0)
		return;
	struct frame *f = sse_event(m->name, m->data, m->id);
	if (!f) {
		log_error("out of memory: an event of a topic is lost to its listeners");
		all->stats->malformed++;
		return;
	}
	fan_out(all, t, f);
	frame_unref(f);
}

void delivery_message(struct streams *all, struct span channel, struct span payload)
{
	struct event_message m;
	struct span name = topic_of_channel(&all->space, channel);
	struct topic *t = name.at ? hub_find(&all->hub, name) : NULL;

	if (!t)
		return;
	if (payload.len > all->config.max_message_size ||
	    event_decode(payload.at, payload.len, &m) != EVENT_OK) {
		all->stats->malformed++;
		log_debug("a message of %zu bytes on a subscribed channel is no event",
			  payload.len);
		return;
	}
	publish(all, t, &m);
	event_message_done(&m);
}
