/* stream: what streams.c and delivery.c both know: one stream, and all of a worker. streams.c owns
 * them. */
#ifndef TIDINGS_STREAMER_STREAM_H
#define TIDINGS_STREAMER_STREAM_H

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
struct filter;
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
	struct ask *ask;       /* owned; AUTHORISING only */
	struct filter *filter; /* owned; NULL: every event is delivered */
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

#endif
