/* streams: takes each stream from its verdict to its end. Owns the streams, the hub they meet in
 * and the wheels of time. Learns of Redis through the functions named streams_* and asks it through
 * streams_ops, so that it knows no connection; bytes go out through client.c.
 *
 * How a stream becomes live: its topics join the hub → Redis has answered every SUBSCRIBE up to
 * then (opening.c) → one question to the logs for all who are ready (rounds.c), and what arrives
 * from here on is kept (recent.c) → the answer: sse.open, what was missed (resume.c), what was kept
 * and is above that, then everything as it comes (delivery.c). After a loss of Redis the same
 * happens again without sse.open, from the position of each stream. */
#include "streamer/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "common/log.h"
#include "common/topic.h"
#include "streamer/answer.h"
#include "streamer/ask.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/filter.h"
#include "streamer/frame.h"
#include "streamer/jitter.h"
#include "streamer/notice.h"
#include "streamer/poll.h"
#include "streamer/pulse.h"
#include "streamer/replay.h"
#include "streamer/resume.h"
#include "streamer/rounds.h"
#include "streamer/sse.h"
#include "streamer/stats.h"

#define LINGER_SECONDS  5. /* a topic stays subscribed after its last listener */
#define TAIL_SECONDS    5. /* what was read from a log serves the next ones */
#define RECENT_EVENTS   8192
#define RECENT_BYTES    ((size_t)32 * 1024 * 1024)
#define BUSY_RETRY_LOW  5000u
#define BUSY_RETRY_HIGH 30000u

#define STREAM_OF(e, member) ((struct stream *)((char *)(e)-offsetof(struct stream, member)))

/* What an idle listener of one topic costs, beside its socket. */
_Static_assert(sizeof(struct client) + sizeof(struct stream) + sizeof(struct subscription) < 512,
	       "a hundred thousand listeners must fit into 50 MB");

/* ---- topics at Redis (hub_ops) ---- */

static void subscribe(struct streams *all, struct topic *t)
{
	char channel[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_channel(&all->space, (struct span){t->name, t->name_len}, channel);
	uint64_t asked = all->ops->subscribe(all->arg, (struct span){channel, len});

	t->asked = asked;
	t->refused = false;
	if (asked)
		all->asked = asked;
}

static void on_wanted(void *arg, struct topic *t)
{
	struct streams *all = arg;
	if (all->connected)
		subscribe(all, t);
}

static void on_unwanted(void *arg, struct topic *t)
{
	struct streams *all = arg;
	char channel[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_channel(&all->space, (struct span){t->name, t->name_len}, channel);

	rounds_forget_topic(all, t);
	all->ops->unsubscribe(all->arg, (struct span){channel, len});
}

static const struct hub_ops hub_ops = {.wanted = on_wanted, .unwanted = on_unwanted};

/* ---- news from Redis ---- */

void streams_may_ask(struct streams *all)
{
	all->tick_due = true; /* the answer proves the connection, whoever needs it */
	rounds_go_on(all);
}

void streams_confirmed(struct streams *all, uint64_t sequence)
{
	all->answered = sequence;
	opening_confirm(&all->opening, sequence);
	rounds_go_on(all);
}

static void turn_away(struct stream *st)
{
	if (st->poll) {
		poll_turn_away(st);
		return;
	}
	client_push_taken(st->client, notice_busy("Redis refuses the subscription",
						  jitter_between(BUSY_RETRY_LOW, BUSY_RETRY_HIGH)));
	client_end(st->client);
}

/* Its listeners would wait, or be deaf, without knowing: they are told to come back later. */
void streams_refused(struct streams *all, uint64_t sequence)
{
	struct subscription *s, *following;
	struct topic *t;

	HUB_EACH(&all->hub, t)
	{
		if (t->asked != sequence)
			continue;
		t->refused = true;
		TOPIC_EACH(t, s, following)
		turn_away(s->listener);
	}
}

/* Who was live, or on its way, goes on from where it is. */
static void begin_again(struct stream *st)
{
	struct streams *all = st->all;

	if (st->opened && !st->replay)
		st->replay = replay_new(st->n_topics, st->position, false);
	if (st->opened && !st->replay) {
		client_close(st->client, CLIENT_NO_MEMORY);
		return;
	}
	if (st->replay) {
		st->replay->live = (struct event_id){0, 0};
		st->replay->turn = REPLAY_FIRST;
	}
	client_limit(st->client, false);
	opening_wait(&all->opening, &st->opening, all->asked, all->answered);
}

/* Ids are compared anew from here on: a Redis that lost its memory may begin below what was heard.
 */
void streams_connected(struct streams *all)
{
	struct topic *t;

	all->connected = true;
	all->verify = all->tick_due = true;
	HUB_EACH(&all->hub, t)
	{
		t->last_id = t->since = (struct event_id){0, 0};
		subscribe(all, t);
	}
	if (!all->connected) /* lost again while asking */
		return;
	for (struct stream *st = all->first; st; st = st->next)
		if (st->state != STREAM_PACED)
			begin_again(st);
	rounds_go_on(all);
}

void streams_disconnected(struct streams *all)
{
	all->connected = false;
	all->answered = all->asked;
	rounds_break(all);
	for (struct stream *st = all->first; st; st = st->next) {
		resume_stop_waiting(st);
		if (st->state != STREAM_PACED)
			st->state = STREAM_WAITING;
	}
}

/* It has sent all that it was given, and goes on. */
void stream_empty(struct stream *st)
{
	if (st->state != STREAM_PACED)
		return;
	st->state = STREAM_WAITING;
	if (st->all->connected) {
		begin_again(st);
		rounds_go_on(st->all);
	}
}

/* ---- life ---- */

struct stream *stream_new(struct streams *all, struct client *c, struct ask *ask,
			  const struct client_ip *ip)
{
	struct stream *st = calloc(1, sizeof(*st) + ask->n_topics * sizeof(st->topics[0]));
	if (!st) {
		ask_free(ask);
		return NULL;
	}
	st->client = c;
	st->all = all;
	st->state = STREAM_AUTHORISING;
	st->ask = ask;
	st->ip = *ip;
	st->n_topics = ask->n_topics;
	opening_entry_init(&st->opening);
	c->user = st;
	return st;
}

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

static int join_all(struct stream *st)
{
	for (size_t i = 0; i < st->n_topics; i++) {
		int err = hub_join(&st->all->hub, st->ask->topics[i], &st->topics[i], st);
		if (err)
			return err;
		if (st->topics[i].topic->refused && st->all->connected)
			subscribe(st->all, st->topics[i].topic);
	}
	return 0;
}

static int keep_filter(struct stream *st)
{
	if (st->ask->n_events > 0)
		st->filter = filter_new(st->ask->events, st->ask->n_events);
	return st->ask->n_events == 0 || st->filter ? 0 : -ENOMEM;
}

/* The first walk counts what is missed, for sse.open; a poll has none. */
static int keep_cursor(struct stream *st)
{
	if (!st->ask->has_cursor || (st->poll && st->poll->kind != POLL_EVENTS))
		return 0;
	st->position = st->ask->cursor;
	st->replay = replay_new(st->n_topics, st->position, !st->poll);
	return st->replay ? 0 : -ENOMEM;
}

static int keep_poll(struct stream *st)
{
	if (!st->ask->json && !st->ask->head && !st->ask->cursor_only)
		return 0;
	st->poll = poll_new(st, st->ask);
	if (!st->poll)
		return -ENOMEM;
	if (st->poll->kind != POLL_EVENTS)
		st->n_topics = 0; /* it hears none: a position is all that it gets */
	wheel_add(&st->all->polls, &st->poll->entry, 0);
	return 0;
}

static void enlist(struct stream *st)
{
	struct streams *all = st->all;

	st->state = STREAM_WAITING;
	st->next = all->first;
	if (st->next)
		st->next->prev = st;
	all->first = st;
	all->stats->streams_current++;
	all->stats->streams_total++;
	if (!st->poll)
		wheel_add(&all->beats, &st->beat,
			  (size_t)jitter_between(0, all->beats.n_slots - 1));
}

void stream_admit(struct stream *st)
{
	struct streams *all = st->all;

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
	if (all->connected) {
		begin_again(st);
		rounds_go_on(all);
	} else if (st->poll) {
		poll_turn_away(st);
	}
}

static void delist(struct stream *st)
{
	if (st->prev)
		st->prev->next = st->next;
	else
		st->all->first = st->next;
	if (st->next)
		st->next->prev = st->prev;
	st->all->stats->streams_current--;
}

void stream_free(struct stream *st)
{
	struct streams *all = st->all;
	double now = clock_seconds();

	for (size_t i = 0; i < st->n_topics; i++)
		hub_leave(&all->hub, &st->topics[i], now);
	resume_stop_waiting(st);
	wheel_remove(&st->beat);
	wheel_remove(&st->unsent);
	if (st->state != STREAM_AUTHORISING)
		delist(st);
	ask_free(st->ask);
	filter_free(st->filter);
	poll_free(st->poll);
	free(st->replay);
	free(st);
}

uint64_t streams_bye_retry(const struct streams *all)
{
	return jitter_around(all->config.retry_ms) + jitter_between(0, all->config.drain_ms);
}

void stream_bye(struct stream *st)
{
	if (st->poll) {
		poll_give_up(st, streams_bye_retry(st->all));
		return;
	}
	client_push_taken(st->client, notice_bye(streams_bye_retry(st->all)));
	client_end(st->client);
}

void streams_take_position(struct streams *all)
{
	all->tick_due = true;
	rounds_go_on(all);
}

int streams_init(struct streams *all, const struct streams_config *config, struct stats *stats)
{
	memset(all, 0, sizeof(*all));
	all->config = *config;
	topic_space_init(&all->space, config->topic_prefix, "");
	all->stats = stats;
	all->on_hole = rounds_hole;
	hub_init(&all->hub, LINGER_SECONDS, &hub_ops, all);
	opening_init(&all->opening);
	deadline_list_init(&all->tails, TAIL_SECONDS);
	int err = recent_init(&all->recent, RECENT_EVENTS, RECENT_BYTES);
	return err ? err : pulse_init(all);
}

void streams_done(struct streams *all)
{
	struct topic *t;

	HUB_EACH(&all->hub, t)
	rounds_forget_topic(all, t);
	recent_done(&all->recent);
	pulse_done(all);
	hub_done(&all->hub);
}
