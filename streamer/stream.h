/* stream: what all that move streams along know: a stream, its legs, the partitions that these
 * stand in, and all of a worker. streams.c owns them.
 *
 * Topics are split over partitions, each with an order of ids of its own (one partition without a
 * Cluster). A stream has a leg in each partition that it hears, with a position there; what has
 * happened to one leg is told to the listener at once, but for sse.open, which waits for all. */
#ifndef TIDINGS_STREAMER_STREAM_H
#define TIDINGS_STREAMER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/redis_address.h"
#include "common/span.h"
#include "common/topic.h"
#include "streamer/batch.h"
#include "streamer/deadline.h"
#include "streamer/forwarded.h"
#include "streamer/heard.h"
#include "streamer/hub.h"
#include "streamer/kept_ask.h"
#include "streamer/log_read.h"
#include "streamer/opening.h"
#include "streamer/recent.h"
#include "streamer/redis_clock.h"
#include "streamer/revocations.h"
#include "streamer/users.h"
#include "streamer/wheel.h"

struct ask;
struct client;
struct cors;
struct filter;
struct frame;
struct poll;
struct replay;
struct permit;
struct recheck;
struct seen;
struct stats;

/* ---- a stream ---- */

enum leg_state {
	LEG_WAITING, /* for Redis: subscriptions, or an answer; or for the other legs to open */
	LEG_PACED,   /* for the socket: what was missed is longer than that takes at once */
	LEG_LIVE,
};

/* A stream in one partition. */
struct leg {
	struct stream *stream;
	struct partition *in;
	uint8_t state; /* enum leg_state */
	bool ready;    /* has all that sse.open says of it */
	bool plain;    /* every event of its topics goes to it as it is */
	uint32_t n_topics;
	struct event_id position; /* every event at or below it is delivered, filtered, or was told
				     by sse.reset */
	struct subscription *topics; /* in request order */
	struct leg *prev, *next;     /* in in->first, once admitted */
	struct event_id met; /* the answer with which it became live: no mark up to there is news to
				it */
	struct replay *replay; /* owned; NULL: nothing is to be read for it */
	struct opening_entry opening;
	struct wheel_entry delay; /* on streams.delays */
};

/* client->user points to it. */
struct stream {
	struct client *client;
	struct streams *all;
	bool admitted : 1;  /* the verdict is there: it counts, and its topics are joined */
	bool opened : 1;    /* sse.open was sent */
	bool resumed : 1;   /* it began where it had been, with at least one of its topics */
	bool has_place : 1; /* the owner's: it counts among the open ones */
	struct client_ip ip;
	uint16_t turn; /* how many ticks it is held (streams.spread); 0: was not held yet */
	uint16_t n_topics, n_legs;
	struct ask *ask;       /* owned; until it is admitted, of a poll longer */
	struct filter *filter; /* owned; NULL: every event is delivered */
	struct poll *poll;     /* owned; NULL: a stream. Else one JSON answer */
	struct permit *permit; /* owned; NULL: anybody may hear it */
	struct wheel_entry beat;
	struct wheel_entry held;   /* on streams.spread */
	struct wheel_entry unsent; /* on streams.unsent while the client does not know the position
				    */
	uint16_t *order;           /* of the topics in the request; NULL: as they stand */
	struct leg legs[]; /* partitions rise; behind them the topics, leg by leg, and order */
};

/* ---- a partition ---- */

/* One topic of the open question. */
struct round_topic {
	struct topic *topic; /* NULL: gone meanwhile */
	struct event_id from;
	bool wanted; /* by a leg: what its log holds */
	bool check;  /* its last id is compared with what was heard */
};

/* The last ids of topics, as Redis told them, that had not been heard by then. */
struct suspect {
	struct topic *topic; /* NULL: gone */
	struct event_id last;
};

#define ROUND_SUSPECTS 256

/* The question to the logs that is out, if one is. */
struct round {
	bool open;
	bool verifies; /* whether Redis still knows what was heard */
	bool learns;   /* which revocations are in force */
	bool broken;   /* what came since is not whole: the answer opens no stream */
	uint64_t number;
	uint64_t since; /* in recent */
	size_t n;
	struct round_topic *topics; /* room for LOG_READ_TOPICS; NULL: there was no question yet */
	struct suspect *suspects;   /* likewise, for ROUND_SUSPECTS */
	size_t n_suspects;
};

/* What a new connection is asked to know. */
struct heard_before {
	struct event_id known, latest;
	char newest[TOPIC_MAX_BYTES];
	size_t newest_len;
	char server[REDIS_ADDRESS_BYTES]; /* whom it was heard from */
};

struct partition {
	struct streams *all;
	unsigned number;
	struct topic_space space;
	struct hub hub;
	struct leg *first; /* all that were admitted */
	struct opening opening;
	struct recent recent;
	struct round round;
	struct deadline_list tails; /* of topics, the oldest first */
	size_t tail_bytes;
	struct event_id mark, floor; /* as of the last answer */
	struct heard heard;
	struct heard_before before;
	char server[REDIS_ADDRESS_BYTES]; /* that is connected, or was; "": there is but one */
	struct topic *check_at; /* where the next check begins; NULL: at the first topic */
	bool hearing;           /* the control channel */
	uint64_t control_asked; /* number of the SUBSCRIBE for control messages */
	bool learn;     /* the revocations in force are not known from this connection yet */
	bool tick_due;  /* a question shall go out even if no leg needs one */
	bool verify;    /* the connection is new: does Redis still know what was heard? */
	bool connected; /* it can be subscribed at */
	uint64_t asked, answered; /* SUBSCRIBEs */
	struct redis_clock clock;
	struct frame *here; /* of this tick: heard.through as a lone id; NULL: not made yet */
	struct partition *next_here;
	bool wakes; /* is in streams.woken */
	struct partition *next_woken;
};

/* ---- all of a worker ---- */

struct streams_config {
	const char *topic_prefix;
	unsigned partitions; /* of a Cluster; 0: there is none, and one order of ids */
	size_t max_message_size;
	unsigned heartbeat_seconds;
	bool heartbeat_event;
	uint64_t retry_ms, drain_ms, spread_ms;
	const struct cors *cors;
	struct seen *seen; /* which events were counted already; borrowed */
};

struct streams_ops {
	/* Subscribe at Redis; false when the partition is away (it will be told to be connected).
	 * Otherwise streams_subscribed follows, in the order of these calls. */
	bool (*subscribe)(void *arg, unsigned partition, struct span channel);
	void (*unsubscribe)(void *arg, unsigned partition, struct span channel);
	/* Read from the logs; false when that can't be asked for now. */
	bool (*ask)(void *arg, unsigned partition, const struct log_question *q);
	/* Ask the subscriber's connection for a sign of life of that number. */
	void (*barrier)(void *arg, unsigned partition, uint64_t number);
};

struct streams {
	struct streams_config config;
	bool cluster;
	/* A poll was answered: it holds no place any more. st lives until its connection is closed.
	 */
	void (*poll_answered)(void *owner, struct stream *st);
	void *owner;
	/* Somebody is held: spread_tick is needed. */
	void (*on_held)(void *held_owner);
	void *held_owner;
	const struct streams_ops *ops;
	void *arg;
	struct stats *stats;
	struct partition *partitions;
	unsigned n_partitions;
	struct batch batch; /* what came and was not handed out yet */
	/* What rounds.c does for those who stand below it: an event of t above `known` did not
	 * come; somebody of the partition waits for an answer. */
	void (*on_hole)(struct partition *in, struct topic *t, struct event_id known);
	/* What controls.c does for them: a message on the control channel came; the revocations in
	 * force were read. */
	void (*on_control)(struct streams *all, struct span message);
	void (*on_revocations)(struct streams *all, const struct log_answer *a);
	void (*go_on)(struct partition *in);
	bool going;              /* rounds_go_on is at it */
	struct partition *woken; /* through next_woken: it shall see to these */
	struct wheel beats;
	struct wheel unsent;  /* one slot */
	struct wheel polls;   /* one slot */
	struct wheel permits; /* that are due at some time */
	struct users users;
	struct kept_asks kept_asks;
	struct revocations revocations;
	unsigned n_hearing; /* partitions, each of which brings every control message */
	bool missed;        /* there was none for a time: messages may have been missed */
	struct control_ids *known_controls; /* of the latest control messages; owned */
	/* A control message says that what the auth URL said of these does not count any more;
	 * asked by controls.c, set by the owner. */
	void (*on_forget)(void *owner, const struct control_selector *who);
	struct recheck *recheck; /* the owner's */
	struct wheel spread;     /* streams that are held; without slots: nobody is */
	size_t n_held;
	struct wheel delays;        /* legs that are to be told of a loss later */
	size_t n_delayed, told_now; /* told_now: in this tick */
	struct frame *ping;         /* of this tick */
	struct partition *here;     /* through next_here: those whose `here` was made */
};

static inline struct subscription *stream_topics(const struct stream *st)
{
	return st->legs[0].topics;
}

/* All legs get everything as it comes. */
static inline bool stream_is_live(const struct stream *st)
{
	for (size_t i = 0; i < st->n_legs; i++)
		if (st->legs[i].state != LEG_LIVE)
			return false;
	return true;
}

#endif
