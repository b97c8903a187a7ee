/* recent: the latest events of this worker, so that a listener whose position is being asked for
 * misses none: what came between the question and its answer is read from here. Bounded; who waited
 * too long is told so and asks again. */
#ifndef TIDINGS_STREAMER_RECENT_H
#define TIDINGS_STREAMER_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame;

struct recent_event {
	uint64_t topic_serial;
	struct frame *frame; /* one reference */
};

struct recent {
	struct recent_event *ring; /* NULL until the first start */
	size_t cap;                /* events */
	size_t max_bytes;          /* of all frames in it */
	size_t bytes;
	uint64_t first,
		next;   /* sequence numbers: first is the oldest kept, next the one that comes */
	bool recording; /* nothing is kept while nobody waits */
};

void recent_init(struct recent *r, size_t max_events, size_t max_bytes);
void recent_done(struct recent *r);

/* Makes room, if there is none yet. Returns 0 or -ENOMEM. */
int recent_prepare(struct recent *r);

/* From now on events are kept; returns the sequence number to read from later. It is prepared. */
uint64_t recent_start(struct recent *r);

/* Nobody waits any more: forgets everything. */
void recent_stop(struct recent *r);

/* Keeps one event (takes a reference of its own); nothing while not recording. The oldest go when
 * it is full. */
void recent_add(struct recent *r, uint64_t topic_serial, struct frame *f);

/* True when everything since that sequence number is still there. */
bool recent_holds(const struct recent *r, uint64_t since);

/* The event of a sequence number first..next-1. */
const struct recent_event *recent_at(const struct recent *r, uint64_t sequence);

#endif
