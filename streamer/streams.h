/* streams: the life of every stream: AUTHORISING → WAITING (head sent, Redis not heard yet) ⇄ LIVE.
 * Joins the hub, opens with a position, delivers, keeps alive, says good-bye. */
#ifndef TIDINGS_STREAMER_STREAMS_H
#define TIDINGS_STREAMER_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/span.h"
#include "streamer/forwarded.h"
#include "streamer/hub.h"
#include "streamer/opening.h"
#include "streamer/recent.h"
#include "streamer/redis_clock.h"
#include "streamer/wheel.h"

struct ask;
struct auth_ask;
struct client;
struct cors;
struct frame;
struct stats;

enum stream_state { STREAM_AUTHORISING, STREAM_WAITING, STREAM_LIVE };

/* One stream; client->user points to it. */
struct stream {
	struct client *client;
	struct streams *all;
	struct stream *prev, *next; /* in streams.first, once admitted */
	enum stream_state state;
	bool opened; /* sse.open was sent */
	bool had_cursor;
	struct ask *ask; /* owned; kept while it is still needed (AUTHORISING, and for an event
			    filter) */
	struct auth_ask *auth; /* the owner's: its call under way */
	struct client_ip ip;
	struct event_id position; /* every event at or below it is delivered, filtered, or was told
				     by sse.reset */
	struct opening_entry opening;
	struct wheel_entry beat;
	size_t n_topics;
	struct subscription topics[]; /* in request order */
};

struct streams_config {
	const char *topic_prefix;
	size_t max_message_size;
	unsigned heartbeat_seconds;
	bool heartbeat_event;
	uint64_t retry_ms, drain_ms;
	const struct cors *cors;
};

struct streams_ops {
	/* Subscribe at Redis; returns the sequence number, 0 when Redis is away. */
	uint64_t (*subscribe)(void *arg, struct span channel);
	void (*unsubscribe)(void *arg, struct span channel);
	/* Take a position; false when it can't be asked for now. */
	bool (*ask_position)(void *arg);
};

struct streams {
	struct streams_config config;
	const struct streams_ops *ops;
	void *arg;
	struct stats *stats;
	struct hub hub;
	struct opening opening;
	struct recent recent;
	uint64_t recent_since;
	struct wheel beats;
	struct stream *first;     /* all that were admitted */
	bool connected;           /* Redis can be subscribed at */
	uint64_t asked, answered; /* SUBSCRIBEs */
	struct redis_clock clock;
	struct frame *ping; /* of this tick */
};

/* ops and arg are to be set before the first stream. Returns 0 or -ENOMEM. */
int streams_init(struct streams *all, const struct streams_config *config, struct stats *stats);
void streams_done(struct streams *all);

/* A stream in state AUTHORISING; takes ask over. NULL when out of memory (ask is freed). */
struct stream *stream_new(struct streams *all, struct client *c, struct ask *ask,
			  const struct client_ip *ip);

/* The listener may hear all of its topics: sends the head and joins them. */
void stream_admit(struct stream *st);

/* Its client is gone: leaves everything and frees it. auth is NULL by now. */
void stream_free(struct stream *st);

/* Ticks of the heartbeat's wheel a second. */
#define STREAMS_TICKS 4

/* One tick: heartbeats of those whose turn it is, topics whose linger time is over. */
void streams_tick(struct streams *all);

/* News from Redis (redis_link_ops); messages go to delivery.h. */
void streams_connected(struct streams *all);
void streams_disconnected(struct streams *all);
void streams_confirmed(struct streams *all, uint64_t sequence);
void streams_refused(struct streams *all, uint64_t sequence);
void streams_position(struct streams *all, bool ok, struct event_id id);
void streams_may_ask(struct streams *all);

/* sse.bye and a jittered retry to one stream, then its end. */
void stream_bye(struct stream *st);

/* `retry:` of a good-bye, and of who is turned away while the worker ends. */
uint64_t streams_bye_retry(const struct streams *all);

#endif
