/* arrival: what Redis publishes, on its way in: is it an event, is it new, did one before it not
 * come; decoded once, formatted once. Whom it reaches fan_out.c knows. */
#include "streamer/arrival.h"

#include <time.h>
#include "common/control.h"
#include "common/event.h"
#include "common/log.h"
#include "common/topic.h"
#include "streamer/clock.h"
#include "streamer/event_frame.h"
#include "streamer/fan_out.h"
#include "streamer/frame.h"
#include "streamer/seen.h"
#include "streamer/stats.h"
#include "streamer/stream.h"

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
	    event_id_compare(m->prev, m->id) < 0 && event_id_compare(m->prev, in->floor) > 0) {
		fan_out(in->all);
		in->all->on_hole(in, t, known);
	}
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

static void publish(struct partition *in, struct topic *t, struct event_message *m)
{
	struct streams *all = in->all;
	struct event_place place = {
		.partition = in->number,
		.n_partitions = all->cluster ? all->n_partitions : 0,
		.topic = {t->name, t->name_len},
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
	recent_add(&in->recent, t->serial, f);
	if (t->listeners > 0)
		fan_out_later(all, t, f);
	frame_unref(f);
}

void arrival_message(struct partition *in, struct span channel, struct span payload)
{
	struct streams *all = in->all;
	struct event_message m;
	struct span name = topic_of_channel(&in->space, channel);
	struct topic *t = name.at ? hub_find(&in->hub, name) : NULL;

	if (name.at && span_is(name, CONTROL_TOPIC)) {
		fan_out(all); /* what was published before it is delivered before it */
		all->on_control(all, payload);
		return;
	}
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
