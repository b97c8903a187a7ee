/* event_frame: a message of Redis becomes the frame that all of its listeners share. */
#ifndef TIDINGS_STREAMER_EVENT_FRAME_H
#define TIDINGS_STREAMER_EVENT_FRAME_H

#include "common/cursor.h"
#include "common/span.h"

struct event_message;
struct frame;

/* Where a message stood: which copy of its event it is. */
struct event_place {
	unsigned partition, n_partitions; /* n_partitions 0: no Cluster */
	struct span topic;
};

/* An event of several topics has copies in each of their partitions, with an id of its own there. A
 * listener that hears several of them gets it once, in the partition of the first topic, in the
 * order of the message, that it hears. So the frame names all of them when they are in several
 * partitions; copies within one have one id, and are told by that. NULL when out of memory. */
struct frame *event_frame(const struct event_message *m, struct event_id id,
			  const struct event_place *place);

#endif
