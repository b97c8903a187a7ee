/* admission: from a request to a stream and to its end: which partitions it is in, what it waits
 * with, what it is admitted with (topics, filter, cursor), and how it leaves. What happens to it in
 * between is streams.c's. Owns the memory of streams. */
#include "streamer/admission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "common/partition.h"
#include "streamer/answer.h"
#include "streamer/ask.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/cursor_text.h"
#include "streamer/filter.h"
#include "streamer/jitter.h"
#include "streamer/permit.h"
#include "streamer/poll.h"
#include "streamer/replay.h"
#include "streamer/resume.h"
#include "streamer/rounds.h"
#include "streamer/spread.h"
#include "streamer/sse.h"
#include "streamer/stats.h"
#include "streamer/streams.h"

/* What an idle listener of one topic costs, beside its socket. */
_Static_assert(sizeof(struct client) + sizeof(struct stream) + sizeof(struct leg) +
			       sizeof(struct subscription) <=
		       512,
	       "a hundred thousand listeners must fit into 50 MB");

/* ---- a stream that waits for its verdict ---- */

static size_t bytes_of(size_t n_legs, size_t n_topics)
{
	size_t order = n_legs > 1 ? n_topics * sizeof(uint16_t) : 0;

	return sizeof(struct stream) + n_legs * sizeof(struct leg) +
	       n_topics * sizeof(struct subscription) + order;
}

/* Which partition each topic is in; returns how many partitions these are. */
static size_t find_partitions(const struct streams *all, const struct ask *ask, uint16_t *of)
{
	bool used[PARTITION_MAX] = {false};
	size_t n = 0;

	if (all->n_partitions == 1) {
		memset(of, 0, ask->n_topics * sizeof(*of));
		return 1;
	}
	for (size_t i = 0; i < ask->n_topics; i++) {
		of[i] = (uint16_t)partition_of(ask->topics[i], all->n_partitions);
		n += !used[of[i]];
		used[of[i]] = true;
	}
	return n;
}

/* The topics of one leg, taken from those of the request; returns the place behind them. */
static size_t fill_leg(struct stream *st, struct leg *leg, const uint16_t *of, size_t place)
{
	leg->topics += place;
	for (size_t i = 0; i < st->n_topics; i++) {
		if (of[i] != leg->in->number)
			continue;
		if (st->order)
			st->order[place] = (uint16_t)i;
		place++;
		leg->n_topics++;
	}
	return place;
}

static unsigned next_partition(const struct stream *st, const uint16_t *of, unsigned from)
{
	unsigned next = PARTITION_MAX;

	for (size_t i = 0; i < st->n_topics; i++)
		if (of[i] >= from && of[i] < next)
			next = of[i];
	return next;
}

static void lay_out(struct stream *st, const uint16_t *of)
{
	struct subscription *topics = (struct subscription *)(st->legs + st->n_legs);
	unsigned number = 0;
	size_t place = 0;

	if (st->n_legs > 1)
		st->order = (uint16_t *)(topics + st->n_topics);
	for (size_t i = 0; i < st->n_legs; i++) {
		struct leg *leg = &st->legs[i];

		number = next_partition(st, of, number);
		leg->stream = st;
		leg->in = &st->all->partitions[number++];
		leg->topics = topics;
		leg->state = LEG_WAITING;
		opening_entry_init(&leg->opening);
		place = fill_leg(st, leg, of, place);
	}
}

struct stream *stream_new(struct streams *all, struct client *c, struct ask *ask,
			  const struct client_ip *ip)
{
	uint16_t of[LOG_READ_TOPICS];
	size_t n_legs = find_partitions(all, ask, of);
	struct stream *st = calloc(1, bytes_of(n_legs, ask->n_topics));

	if (!st) {
		ask_free(ask);
		return NULL;
	}
	st->client = c;
	st->all = all;
	st->ask = ask;
	st->ip = *ip;
	st->n_topics = (uint16_t)ask->n_topics;
	st->n_legs = (uint16_t)n_legs;
	lay_out(st, of);
	c->user = st;
	return st;
}

/* ---- the verdict is there ---- */

static void send_head(struct stream *st)
{
	struct answer_to to = {
		.cors = st->all->config.cors,
		.origin = st->ask->origin,
		.now = time(NULL),
	};
	client_push_taken(st->client, answer_stream_head(&to));
	client_push_taken(st->client, sse_retry(jitter_around(st->all->config.retry_ms)));
}

static int join(struct leg *leg, struct subscription *s, struct span name)
{
	int err = hub_join(&leg->in->hub, name, s, leg, leg->n_topics > 1);

	if (!err && s->topic->refused && leg->in->connected)
		streams_subscribe(leg->in, s->topic);
	return err;
}

static int join_all(struct stream *st)
{
	int err = 0;
	size_t k = 0;

	for (size_t i = 0; i < st->n_legs; i++) {
		struct leg *leg = &st->legs[i];
		for (size_t j = 0; j < leg->n_topics && !err; j++, k++)
			err = join(leg, &leg->topics[j],
				   st->ask->topics[st->order ? st->order[k] : k]);
	}
	return err;
}

static int keep_filter(struct stream *st)
{
	if (st->ask->n_events > 0)
		st->filter = filter_new(st->ask->events, st->ask->n_events);
	return st->ask->n_events == 0 || st->filter ? 0 : -ENOMEM;
}

/* The first walk counts what is missed, for sse.open; a poll has none. */
static int keep_position(struct leg *leg, struct span cursor)
{
	struct stream *st = leg->stream;
	bool known = cursor_text_find(cursor, st->all->cluster, leg->in->number, &leg->position);

	leg->replay = replay_new(leg->n_topics, leg->position, !st->poll);
	if (!leg->replay)
		return -ENOMEM;
	leg->replay->given = true;
	leg->replay->unknown = !known;
	return 0;
}

static int keep_cursor(struct stream *st)
{
	int err = 0;

	if (!st->ask->cursor.at || (st->poll && st->poll->kind != POLL_EVENTS))
		return 0;
	for (size_t i = 0; i < st->n_legs && !err; i++)
		err = keep_position(&st->legs[i], st->ask->cursor);
	return err;
}

/* Who asks for a position hears nothing. */
static void hear_nothing(struct stream *st)
{
	st->n_topics = 0;
	for (size_t i = 0; i < st->n_legs; i++)
		st->legs[i].n_topics = 0;
}

static int keep_poll(struct stream *st)
{
	if (!st->ask->json && !st->ask->head && !st->ask->cursor_only)
		return 0;
	st->poll = poll_new(st, st->ask);
	if (!st->poll)
		return -ENOMEM;
	if (st->poll->kind != POLL_EVENTS)
		hear_nothing(st);
	wheel_add(&st->all->polls, &st->poll->entry, 0);
	return 0;
}

static void enlist_leg(struct leg *leg)
{
	const struct stream *st = leg->stream;

	leg->plain = st->n_legs == 1 && !st->filter && !st->poll;
	leg->next = leg->in->first;
	if (leg->next)
		leg->next->prev = leg;
	leg->in->first = leg;
}

static void enlist(struct stream *st)
{
	struct streams *all = st->all;

	st->admitted = true;
	for (size_t i = 0; i < st->n_legs; i++)
		enlist_leg(&st->legs[i]);
	all->stats->streams_current++;
	all->stats->streams_total++;
	if (!st->poll)
		wheel_add(&all->beats, &st->beat,
			  (size_t)jitter_between(0, all->beats.n_slots - 1));
}

static void start(struct stream *st)
{
	bool connected = true;

	for (size_t i = 0; i < st->n_legs; i++)
		connected &= st->legs[i].in->connected;
	if (st->poll && !connected) {
		poll_turn_away(st);
		return;
	}
	for (size_t i = 0; i < st->n_legs; i++)
		if (st->legs[i].in->connected)
			streams_begin(&st->legs[i]);
	for (size_t i = 0; i < st->n_legs; i++)
		rounds_go_on(st->legs[i].in);
}

void stream_admit(struct stream *st)
{
	if (keep_poll(st) != 0 || join_all(st) != 0 || keep_filter(st) != 0 ||
	    keep_cursor(st) != 0) {
		client_close(st->client, CLIENT_NO_MEMORY);
		return;
	}
	if (!st->poll) {
		send_head(st);
		ask_free(st->ask);
		st->ask = NULL;
	}
	enlist(st);
	start(st);
}

/* ---- the end ---- */

static void delist_leg(struct leg *leg)
{
	if (leg->prev)
		leg->prev->next = leg->next;
	else
		leg->in->first = leg->next;
	if (leg->next)
		leg->next->prev = leg->prev;
}

static void end_leg(struct leg *leg, double now)
{
	for (size_t i = 0; i < leg->n_topics; i++)
		hub_leave(&leg->in->hub, &leg->topics[i], now);
	resume_stop_waiting(leg);
	if (leg->stream->admitted)
		delist_leg(leg);
	free(leg->replay);
}

void stream_free(struct stream *st)
{
	double now = clock_seconds();

	for (size_t i = 0; i < st->n_legs; i++)
		end_leg(&st->legs[i], now);
	wheel_remove(&st->beat);
	wheel_remove(&st->unsent);
	spread_forget(st);
	permit_free(st->permit);
	if (st->admitted)
		st->all->stats->streams_current--;
	ask_free(st->ask);
	filter_free(st->filter);
	poll_free(st->poll);
	free(st);
}
