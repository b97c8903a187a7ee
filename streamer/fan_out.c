/* fan_out: a batch of events meets the listeners of its topics. The common listener, who hears one
 * topic and whose socket takes what it is sent, gets all that the topic brought in one send, and
 * nothing else is touched on its way. Who hears several topics gets the events one by one, in the
 * order in which they came, and they leave together at the end of the turn. */
#include "streamer/fan_out.h"

#include "streamer/batch.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/delivery.h"
#include "streamer/frame.h"
#include "streamer/spread.h"
#include "streamer/stream.h"

static void begin_turn(const struct leg *leg)
{
	struct clients *clients = leg->stream->client->all;

	if (clients->events_since == 0)
		clients->events_since = clock_seconds();
}

static void one_by_one(struct leg *leg, const struct burst *b, uint64_t serial)
{
	unsigned i = 0;

	for (; i < b->n && leg->state == LEG_LIVE; i++)
		delivery_event(leg, b->frames[i], serial);
	if (i < b->n)
		delivery_passed_over(leg, serial, b->n - i);
}

/* Its position is below the first id, or it has heard some of this by another way. */
static bool is_all_new(const struct leg *leg, const struct burst *b)
{
	return event_id_is_zero(b->first) || event_id_compare(b->first, leg->position) > 0;
}

static void to_listener(struct leg *leg, const struct burst *b, uint64_t serial)
{
	struct client *c = leg->stream->client;

	if (leg->state != LEG_LIVE || !leg->plain || !b->bytes || !is_all_new(leg, b) ||
	    !client_is_idle(c)) {
		one_by_one(leg, b, serial);
		return;
	}
	if (!event_id_is_zero(b->last)) {
		leg->position = b->last;
		wheel_remove(&leg->stream->unsent);
	}
	client_send(c, b);
}

/* What is not spread takes along what is held. */
static void hurry(const struct leg *leg)
{
	if (leg->stream->client->held)
		client_hurry(leg->stream->client);
}

/* ---- who reads ---- */

static bool takes_nothing(const struct leg *leg)
{
	return leg->stream->client->blocked;
}

/* Whose socket has refused bytes must not delay those who read. Who hears this topic alone is moved
 * behind them; the others, whose topics would fall out of step, are counted in *skipped. */
static bool comes_later(struct subscription *s, size_t *skipped)
{
	const struct leg *leg = s->listener;

	if (!takes_nothing(leg))
		return false;
	if (leg->n_topics > 1)
		++*skipped;
	else
		hub_set_aside(s);
	return true;
}

/* The listeners of a topic who are not set aside. */
#define READING_EACH(t, s, following)                                                              \
	for ((s) = (t)->first; (s) && (s) != (t)->aside && ((following) = (s)->next, true);        \
	     (s) = (following))

/* alone: the topic is the only one of the batch, so that nobody's order is at stake. */
static size_t to_readers(struct streams *all, unsigned i, bool alone, size_t *skipped)
{
	struct batch *batch = &all->batch;
	struct topic *t = batch->events[i].topic;
	struct subscription *s, *following;
	struct burst burst;
	bool spreads = spread_wanted(all, t);
	size_t n = 0;

	batch_burst(batch, i, &burst);
	READING_EACH(t, s, following)
	{
		struct leg *leg = s->listener;
		if (following)
			__builtin_prefetch(following->listener);
		if ((!alone && leg->n_topics > 1) || comes_later(s, skipped))
			continue;
		if (spreads)
			spread_hold(leg->stream);
		to_listener(leg, &burst, t->serial);
		if (!spreads)
			hurry(leg);
		n++;
	}
	return n;
}

/* Those who hear several topics stand first. A client is blocked, or not, for the whole of a
 * fan-out, since these are only queued for. */
static size_t to_those_of_several(struct streams *all, const struct batch_event *e, bool blocked,
				  size_t *skipped)
{
	const struct burst one = {.frames = &e->frame, .n = 1};
	struct subscription *s, *following;
	bool spreads = spread_wanted(all, e->topic);
	size_t n = 0;

	READING_EACH(e->topic, s, following)
	{
		struct leg *leg = s->listener;
		if (leg->n_topics <= 1)
			break;
		if (takes_nothing(leg) != blocked) {
			++*skipped;
			continue;
		}
		if (spreads)
			spread_hold(leg->stream);
		one_by_one(leg, &one, e->topic->serial);
		if (!spreads)
			hurry(leg);
		n++;
	}
	return n;
}

/* ---- who does not ---- */

/* last: of its topic in the batch. Only then may anybody be one of the others again, who would miss
 * what the rest of the batch has for him. */
static size_t to_those_aside(const struct batch_event *e, bool last)
{
	const struct burst one = {.frames = &e->frame, .n = 1};
	struct subscription *s = e->topic->aside, *following;
	size_t n = 0;

	for (; s; s = following, n++) {
		const struct leg *leg = s->listener;
		following = s->next;
		one_by_one(s->listener, &one, e->topic->serial);
		if (last && !takes_nothing(leg))
			hub_take_back(s);
	}
	return n;
}

static size_t to_the_rest(struct streams *all, bool skipped)
{
	struct batch *batch = &all->batch;
	size_t n = 0, others = 0;

	for (unsigned i = 0; i < batch->n; i++) {
		const struct batch_event *e = &batch->events[i];
		if (skipped)
			n += to_those_of_several(all, e, true, &others);
		n += to_those_aside(e, e->next == 0);
	}
	return n;
}

/* ---- all ---- */

/* Many topics of few listeners: the memory of each listener would be waited for, one after the
 * other. So it is asked for all of them, step by step, before it is needed. */
static void fetch_first_listeners(const struct batch *b)
{
	for (unsigned i = 0; i < b->n; i++)
		__builtin_prefetch(b->events[i].topic->first);
	for (unsigned i = 0; i < b->n; i++)
		__builtin_prefetch(b->events[i].topic->first->listener);
	for (unsigned i = 0; i < b->n; i++) {
		const struct leg *leg = b->events[i].topic->first->listener;
		__builtin_prefetch(leg->stream);
		__builtin_prefetch(&leg->position);
	}
	for (unsigned i = 0; i < b->n; i++) {
		const struct leg *leg = b->events[i].topic->first->listener;
		__builtin_prefetch(leg->stream->client);
		__builtin_prefetch(&leg->stream->client->out);
	}
}

size_t fan_out(struct streams *all)
{
	struct batch *batch = &all->batch;
	bool alone = batch->n_topics == 1;
	size_t n = 0, skipped = 0;

	if (batch->n == 0)
		return 0;
	if (!alone)
		fetch_first_listeners(batch);
	begin_turn(batch->events[0].topic->first->listener);
	for (unsigned i = 0; !alone && i < batch->n; i++)
		n += to_those_of_several(all, &batch->events[i], false, &skipped);
	for (unsigned i = 0; i < batch->n; i++)
		if (batch->events[i].first)
			n += to_readers(all, i, alone, &skipped);
	n += to_the_rest(all, skipped > 0);
	batch_clear(batch);
	return n;
}

void fan_out_later(struct streams *all, struct topic *t, struct frame *f)
{
	if (batch_full(&all->batch))
		fan_out(all);
	batch_add(&all->batch, t, f);
}
