/* streams: takes each stream from its verdict to its end. Owns the streams, the hub they meet in,
 * the events that came while a position was asked for, and the heartbeat's wheel. Learns of Redis
 * through the functions named streams_* and asks it through streams_ops, so that it knows no
 * connection; bytes go out through client.c.
 *
 * How a stream becomes live: its topics join the hub → Redis has answered every SUBSCRIBE up to
 * then (opening.c) → a position P is asked for, and what arrives from here on is kept (recent.c) →
 * the answer: sse.open with P, then what was kept and is above P, then everything as it comes.
 * After a loss of Redis the same happens again, with sse.reset in the place of sse.open: what was
 * published meanwhile may be missing. */
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
#include "streamer/delivery.h"
#include "streamer/filter.h"
#include "streamer/frame.h"
#include "streamer/jitter.h"
#include "streamer/notice.h"
#include "streamer/sse.h"
#include "streamer/stats.h"

#define LINGER_SECONDS  5. /* a topic stays subscribed after its last listener */
#define RECENT_EVENTS   8192
#define RECENT_BYTES    ((size_t)32 * 1024 * 1024)
#define BUSY_RETRY_LOW  5000u
#define BUSY_RETRY_HIGH 30000u

#define STREAM_OF_OPENING(e) ((struct stream *)((char *)(e)-offsetof(struct stream, opening)))
#define STREAM_OF_BEAT(e)    ((struct stream *)((char *)(e)-offsetof(struct stream, beat)))

/* What an idle listener of one topic costs, beside its socket. */
_Static_assert(sizeof(struct client) + sizeof(struct stream) + sizeof(struct subscription) < 512,
	       "a hundred thousand listeners must fit into 50 MB");

/* ---- topics at Redis (hub_ops) ---- */

static void subscribe(struct streams *all, struct topic *t)
{
	char channel[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_channel(all->config.topic_prefix, (struct span){t->name, t->name_len},
				   channel);
	uint64_t asked = all->ops->subscribe(all->arg, (struct span){channel, len});

	t->asked = asked;
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
	size_t len = topic_channel(all->config.topic_prefix, (struct span){t->name, t->name_len},
				   channel);

	all->ops->unsubscribe(all->arg, (struct span){channel, len});
}

static const struct hub_ops hub_ops = {.wanted = on_wanted, .unwanted = on_unwanted};

/* ---- becoming live ---- */

static void ask_position(struct streams *all)
{
	if (!opening_ask(&all->opening))
		return;
	all->recent_since = recent_start(&all->recent);
	if (!all->ops->ask_position(all->arg))
		opening_ask_again(&all->opening);
}

static void go_live(struct stream *st, struct event_id position)
{
	struct streams *all = st->all;
	bool reset = st->opened || st->had_cursor;

	st->position = position;
	st->state = STREAM_LIVE;
	if (!st->opened)
		client_push_taken(st->client,
				  notice_open(st->topics, st->n_topics, reset, position));
	if (reset) {
		all->stats->resets++;
		client_push_taken(st->client,
				  notice_reset(st->topics, st->n_topics,
					       st->opened ? "redis_lost" : "no_resume"));
	}
	if (st->opened)
		client_push_taken(st->client, sse_position(position));
	st->opened = true;
	delivery_catch_up(st);
}

void streams_position(struct streams *all, bool ok, struct event_id id)
{
	struct opening_entry *e;

	if (ok)
		redis_clock_note(&all->clock, id, clock_seconds());
	if (!ok || !recent_holds(&all->recent, all->recent_since)) {
		opening_ask_again(&all->opening);
	} else {
		while ((e = opening_take(&all->opening)))
			go_live(STREAM_OF_OPENING(e), id);
	}
	if (!opening_busy(&all->opening))
		recent_stop(&all->recent);
	else if (ok)
		ask_position(all);
}

void streams_may_ask(struct streams *all)
{
	ask_position(all);
}

void streams_confirmed(struct streams *all, uint64_t sequence)
{
	all->answered = sequence;
	opening_confirm(&all->opening, sequence);
	ask_position(all);
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
		TOPIC_EACH(t, s, following)
		{
			struct stream *st = s->listener;
			client_push_taken(st->client, notice_busy("Redis refuses the subscription",
								  jitter_between(BUSY_RETRY_LOW,
										 BUSY_RETRY_HIGH)));
			client_end(st->client);
		}
	}
}

/* Ids are compared anew from here on: a Redis that lost its memory may begin below what was heard.
 */
void streams_connected(struct streams *all)
{
	struct topic *t;

	all->connected = true;
	HUB_EACH(&all->hub, t)
	{
		t->last_id = (struct event_id){0, 0};
		subscribe(all, t);
	}
	if (!all->connected) /* lost again while asking */
		return;
	for (struct stream *st = all->first; st; st = st->next)
		opening_wait(&all->opening, &st->opening, all->asked, all->answered);
	ask_position(all);
}

void streams_disconnected(struct streams *all)
{
	all->connected = false;
	all->answered = all->asked;
	for (struct stream *st = all->first; st; st = st->next) {
		opening_leave(&st->opening);
		st->state = STREAM_WAITING;
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
	st->had_cursor = ask->has_cursor;
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
	}
	return 0;
}

static int keep_filter(struct stream *st)
{
	if (st->ask->n_events > 0)
		st->filter = filter_new(st->ask->events, st->ask->n_events);
	return st->ask->n_events == 0 || st->filter ? 0 : -ENOMEM;
}

void stream_admit(struct stream *st)
{
	struct streams *all = st->all;

	if (join_all(st) != 0 || keep_filter(st) != 0) {
		client_close(st->client, CLIENT_NO_MEMORY);
		return;
	}
	send_head(st);
	ask_free(st->ask);
	st->ask = NULL;
	st->state = STREAM_WAITING;
	st->next = all->first;
	if (st->next)
		st->next->prev = st;
	all->first = st;
	all->stats->streams_current++;
	all->stats->streams_total++;
	wheel_add(&all->beats, &st->beat, (size_t)jitter_between(0, all->beats.n_slots - 1));
	if (all->connected) {
		opening_wait(&all->opening, &st->opening, all->asked, all->answered);
		ask_position(all);
	}
}

void stream_free(struct stream *st)
{
	struct streams *all = st->all;
	double now = clock_seconds();

	for (size_t i = 0; i < st->n_topics; i++)
		hub_leave(&all->hub, &st->topics[i], now);
	opening_leave(&st->opening);
	wheel_remove(&st->beat);
	if (st->state != STREAM_AUTHORISING) {
		if (st->prev)
			st->prev->next = st->next;
		else
			all->first = st->next;
		if (st->next)
			st->next->prev = st->prev;
		all->stats->streams_current--;
	}
	ask_free(st->ask);
	filter_free(st->filter);
	free(st);
}

uint64_t streams_bye_retry(const struct streams *all)
{
	return jitter_around(all->config.retry_ms) + jitter_between(0, all->config.drain_ms);
}

void stream_bye(struct stream *st)
{
	client_push_taken(st->client, notice_bye(streams_bye_retry(st->all)));
	client_end(st->client);
}

/* ---- time ---- */

/* Whose socket takes nothing needs no proof of life, and what waits for it must not grow by ours.
 */
static void on_beat(void *arg, struct wheel_entry *e)
{
	struct streams *all = arg;
	struct stream *st = STREAM_OF_BEAT(e);

	if (all->ping && !st->client->blocked)
		client_push(st->client, all->ping);
}

void streams_tick(struct streams *all)
{
	all->ping = all->config.heartbeat_event ? sse_heartbeat_event((uint64_t)time(NULL))
						: sse_heartbeat_comment();
	wheel_tick(&all->beats, on_beat, all);
	frame_unref(all->ping);
	all->ping = NULL;
	hub_expire(&all->hub, clock_seconds());
}

int streams_init(struct streams *all, const struct streams_config *config, struct stats *stats)
{
	memset(all, 0, sizeof(*all));
	all->config = *config;
	all->stats = stats;
	hub_init(&all->hub, LINGER_SECONDS, &hub_ops, all);
	opening_init(&all->opening);
	int err = recent_init(&all->recent, RECENT_EVENTS, RECENT_BYTES);
	if (!err)
		err = wheel_init(&all->beats, (size_t)config->heartbeat_seconds * STREAMS_TICKS);
	return err;
}

void streams_done(struct streams *all)
{
	recent_done(&all->recent);
	wheel_done(&all->beats);
	hub_done(&all->hub);
}
