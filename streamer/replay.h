/* replay: how one stream gets from its cursor to the present: which of its topics can be resumed,
 * and the events that it missed, out of the tails of its topics, in the order of ids, none twice.
 * Walks tails that others read; sends nothing. */
#ifndef TIDINGS_STREAMER_REPLAY_H
#define TIDINGS_STREAMER_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"

struct frame;
struct subscription;

/* Why a topic can't be resumed, the weakest first; what sse.reset says. */
enum replay_fault {
	REPLAY_FINE,
	REPLAY_EXPIRED, /* the topic's log is gone */
	REPLAY_TRIMMED, /* its log begins behind what was missed */
	REPLAY_MISSED,  /* an event never came, and the stream is past it */
	REPLAY_DROPPED, /* the listener was too slow for its events (slow_client = drop) */
	REPLAY_UNKNOWN, /* the cursor has no position in its partition */
	REPLAY_LOST,    /* Redis has lost events */
};

struct replay_topic {
	struct event_id base; /* nothing at or below it is wanted, when it is above the position */
	bool hole;            /* an event above base did not come */
	bool dropped;         /* an event was not sent to it: the next answer gives it up */
	bool fresh;           /* the fault was found since the last replay_told */
	uint8_t fault;        /* enum replay_fault */
	uint32_t at;          /* of its tail: the next event */
	uint32_t order;       /* the k-th of those with events has k-th order */
};

/* Who goes into which question, so that one who is far behind delays nobody else. */
enum replay_turn {
	REPLAY_FIRST, /* it was in no question yet, or its answer was complete */
	REPLAY_SLOW,  /* one answer did not hold all that it missed */
	REPLAY_AGAIN, /* an answer that others needed whole ended before its position */
};

struct replay {
	struct event_id position; /* walked up to here */
	struct event_id live; /* had come live up to here when a hole was found; zero: none was */
	enum replay_turn turn;
	bool counting;  /* the first walk, for sse.open, delivers nothing */
	bool paged;     /* it took more than one answer */
	bool delayed;   /* had to wait its turn to be told of a loss */
	bool given;     /* it began at a cursor that the listener brought */
	bool unknown;   /* which has no position here */
	bool lost;      /* it was live while Redis was found to have lost something */
	uint64_t count; /* events of the first walk */
	size_t n_topics, n_order;
	struct replay_topic topics[];
};

/* Begins at the cursor. NULL when out of memory. */
struct replay *replay_new(size_t n_topics, struct event_id position, bool counting);

/* What is wanted of topic i lies above this. */
struct event_id replay_from(const struct replay *r, size_t i);

/* An event of topic i above `known` did not come, while the stream was live up to r->live: the next
 * walk looks for it. When it lies before that, the topic is given up as missed, for ids do not go
 * back. Nothing to do for who read everything from the logs (live is zero). */
void replay_hole(struct replay *r, size_t i, struct event_id known);

/* An event of topic i was dropped: it is given up, up to the next answer. */
void replay_drop(struct replay *r, size_t i);

/* Topic i is no longer one of them: those behind it move up. */
void replay_remove(struct replay *r, size_t i);

/* All topics are given up: their events up to `at` are not delivered. */
void replay_give_up(struct replay *r, enum replay_fault fault, struct event_id at);

/* Looks whether the tails of the topics hold what is missing. A topic with a fault is given up:
 * its events up to `at` (the answer's) are not delivered. Then starts the walk. floor: the
 * answer's; a topic that was silent up to there is not known to have had events. */
void replay_begin(struct replay *r, const struct subscription *topics, struct event_id at,
		  struct event_id floor);

/* The next event above the position, to which the position moves; NULL when the tails hold no
 * more. Call replay_begin before. */
struct frame *replay_next(struct replay *r, const struct subscription *topics);

/* True when at least one topic is not given up. */
bool replay_resumes(const struct replay *r);

/* The topics whose faults were not told yet, counted and with the worst fault (REPLAY_FINE: none)
 * in *worst. */
size_t replay_untold(const struct replay *r, enum replay_fault *worst);
void replay_told(struct replay *r);

/* The word for sse.reset. */
const char *replay_fault_word(enum replay_fault fault);

#endif
