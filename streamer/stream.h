/* stream: what streams.c and delivery.c both know: one stream, and all of a worker. streams.c owns
 * them. */
#ifndef TIDINGS_STREAMER_STREAM_H
#define TIDINGS_STREAMER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/span.h"
#include "common/topic.h"
#include "streamer/deadline.h"
#include "streamer/forwarded.h"
#include "streamer/heard.h"
#include "streamer/hub.h"
#include "streamer/log_read.h"
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
struct poll;
struct replay;
struct stats;

enum stream_state {
	STREAM_AUTHORISING,
	STREAM_WAITING, /* for Redis: subscriptions, or an answer */
	STREAM_PACED,   /* for its socket: what was missed is longer than that takes at once */
	STREAM_LIVE,
};

/* One stream; client->user points to it. */
struct stream {
	struct client *client;
	struct streams *all;
	struct stream *prev, *next; /* in streams.first, once admitted */
	enum stream_state state;
	bool opened;           /* sse.open was sent */
	bool resumed;          /* it began where it had been, with at least one of its topics */
	struct ask *ask;       /* owned; AUTHORISING only */
	struct filter *filter; /* owned; NULL: every event is delivered */
	struct poll *poll;     /* owned; NULL: a stream. Else one JSON answer */
	struct replay *replay; /* owned; NULL: nothing is to be read for it */
	struct auth_ask *auth; /* the owner's: its call under way */
	struct client_ip ip;
	bool has_place;           /* the owner's: it counts among the open ones */
	struct event_id position; /* every event at or below it is delivered, filtered, or was told
				     by sse.reset */
	struct opening_entry opening;
	struct wheel_entry beat;
	struct wheel_entry unsent; /* on streams.unsent while the client does not know the position
				    */
	struct wheel_entry delay;  /* on streams.delays */
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
	/* Read from the logs; false when that can't be asked for now. */
	bool (*ask)(void *arg, const struct log_question *q);
	/* Ask the subscriber's connection for a sign of life of that number. */
	void (*barrier)(void *arg, uint64_t number);
};

/* One topic of the open question. */
struct round_topic {
	struct topic *topic; /* NULL: gone meanwhile */
	struct event_id from;
	bool wanted; /* by a stream: what its log holds */
	bool check;  /* its last id is compared with what was heard */
};

/* The question to the logs that is out, if one is. */
struct round {
	bool open;
	bool verifies; /* whether Redis still knows what was heard */
	bool broken;   /* what came since is not whole: the answer opens no stream */
	uint64_t number;
	uint64_t since; /* in recent */
	size_t n;
	struct round_topic topics[LOG_READ_TOPICS];
};

/* The last ids of topics, as Redis told them, that had not been heard by then. */
struct suspect {
	struct topic *topic; /* NULL: gone */
	struct event_id last;
};

#define STREAMS_SUSPECTS 256

struct streams {
	struct streams_config config;
	struct topic_space space;
	/* A poll was answered: it holds no place any more. st lives until its connection is closed.
	 */
	void (*poll_answered)(void *owner, struct stream *st);
	void *owner;
	const struct streams_ops *ops;
	void *arg;
	struct stats *stats;
	struct hub hub;
	struct opening opening;
	struct recent recent;
	struct round round;
	/* An event of t above `known` did not come. */
	void (*on_hole)(struct streams *all, struct topic *t, struct event_id known);
	struct deadline_list tails; /* of topics, the oldest first */
	size_t tail_bytes;
	struct event_id mark, floor; /* as of the last answer */
	struct heard heard;
	struct suspect suspects[STREAMS_SUSPECTS];
	size_t n_suspects;
	struct topic *check_at; /* where the next check begins; NULL: at the first topic */
	bool tick_due;          /* a question shall go out even if no stream needs one */
	bool verify;            /* the connection is new: does Redis still know what was heard? */
	struct wheel beats;
	struct wheel unsent;        /* one slot */
	struct wheel polls;         /* one slot */
	struct wheel delays;        /* streams that are to be told of a loss later */
	size_t n_delayed, told_now; /* told_now: in this tick */
	struct stream *first;       /* all that were admitted */
	bool connected;             /* Redis can be subscribed at */
	uint64_t asked, answered;   /* SUBSCRIBEs */
	struct redis_clock clock;
	struct frame *ping; /* of this tick */
	struct frame *here; /* of this tick: heard.through as a lone id; NULL: not made yet */
};

#endif
