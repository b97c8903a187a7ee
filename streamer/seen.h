/* seen: which of the last events were counted already, by whichever worker: an event that several
 * workers hear, or one that comes with several topics, counts once. Lies in memory that all workers
 * share; needs no lock. */
#ifndef TIDINGS_STREAMER_SEEN_H
#define TIDINGS_STREAMER_SEEN_H

#include <stdbool.h>
#include <stdint.h>
#include "common/cursor.h"

#define SEEN_SLOTS 65536

/* Zeroed memory is an empty one. */
struct seen {
	uint64_t slots[SEEN_SLOTS];
};

/* True for the first call with this id of this partition. An event that is heard once more after n
 * others came is taken for a new one in n of SEEN_SLOTS cases. */
bool seen_first(struct seen *s, unsigned partition, struct event_id id);

#endif
