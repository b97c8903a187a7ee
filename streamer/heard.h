/* heard: how far a worker has heard everything. All subscriptions stand on one connection, and
 * Redis publishes in the order of ids; so when an event has come, all before it have. */
#ifndef TIDINGS_STREAMER_HEARD_H
#define TIDINGS_STREAMER_HEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/span.h"
#include "common/topic.h"

struct heard {
	struct event_id through; /* every event at or below it has come, on what was subscribed */
	struct event_id latest;  /* the highest id that came; more topics may carry it */
	struct event_id known;   /* the highest id or position that is known at all */
	char newest[TOPIC_MAX_BYTES]; /* topic of latest */
	size_t newest_len;
	uint64_t barrier; /* number of the last one; it is on its way while open */
	bool open;
	struct event_id barrier_at; /* the position that it was sent behind */
};

/* An event of ours came on a topic. */
void heard_event(struct heard *h, struct span topic, struct event_id id);

/* A position was taken. True: a barrier of number h->barrier shall be sent on the subscriber's
 * connection now: what Redis published up to the position comes before its answer. False: one is
 * on its way. */
bool heard_position(struct heard *h, struct event_id at);

/* A barrier was answered. True: it is the open one. */
bool heard_barrier(struct heard *h, uint64_t number);

/* The connection is gone. */
void heard_break(struct heard *h);

#endif
