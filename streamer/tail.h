/* tail: what one topic's log held above a position, as read from Redis at one moment: frames ready
 * to be sent, and what it takes to tell a topic without news from one whose log has lost some. */
#ifndef TIDINGS_STREAMER_TAIL_H
#define TIDINGS_STREAMER_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/span.h"
#include "streamer/deadline.h"

struct event_place;
struct frame;
struct topic;

struct tail_event {
	struct event_id id, prev; /* prev: of the topic's event before it */
	struct frame *frame;      /* one reference; NULL: a message that can't be delivered */
};

struct tail {
	struct event_id from;     /* begins above it */
	struct event_id through;  /* and is complete up to here */
	struct event_id last;     /* the topic's last id, when it is above `from` */
	bool complete;            /* holds all that the log held */
	bool kept;                /* the owner's */
	uint64_t question;        /* of which it is an answer: equal numbers are of one moment */
	uint64_t since;           /* what came after the question, in recent; the owner's */
	struct topic *topic;      /* the owner's */
	struct deadline deadline; /* how long it is kept; the owner's */
	size_t bytes;             /* of it all */
	size_t n;
	struct tail_event events[]; /* rising */
};

/* Room for so many events. NULL when out of memory. */
struct tail *tail_new(size_t room);

/* NULL is fine. */
void tail_free(struct tail *t);

/* Adds a log's entry of the topic at that place: there is room, and ids rise. A message that is no
 * event, or longer than max_bytes, gets no frame. Returns 0 or -ENOMEM. */
int tail_add(struct tail *t, struct event_id id, struct span message, size_t max_bytes,
	     const struct event_place *place);

/* The number of the first event above id; t->n when there is none. */
size_t tail_after(const struct tail *t, struct event_id id);

enum tail_verdict {
	TAIL_WHOLE,   /* nothing is missing above that position, as far as t reaches */
	TAIL_TRIMMED, /* older events are gone, newer ones are there */
	TAIL_EXPIRED, /* the topic had news, and its log is gone */
};

/* Does it hold all that the topic had above `from` (which is at or above t->from)? */
enum tail_verdict tail_judge(const struct tail *t, struct event_id from);

#endif
