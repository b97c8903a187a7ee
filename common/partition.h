/* partition: the parts into which topics are split on a Redis Cluster. Each has its own order of
 * ids, its logs and its sharded channels in one slot, so that one script can see to all of them. */
#ifndef TIDINGS_COMMON_PARTITION_H
#define TIDINGS_COMMON_PARTITION_H

#include <stdint.h>
#include "common/span.h"

#define PARTITION_MAX       1024
#define PARTITION_TAG_BYTES 16
#define REDIS_SLOTS         16384

/* Which of n partitions (1..PARTITION_MAX) a topic belongs to: CRC16 of its name, modulo n. */
unsigned partition_of(struct span topic, unsigned n);

/* The hash tag of partition i of n, `i.k`, with a NUL to out. k is the smallest number whose slot
 * lies in the i-th of n equal parts of all slots: so partitions are spread over the nodes as evenly
 * as the slots are. Returns the slot. */
unsigned partition_tag(unsigned i, unsigned n, char out[PARTITION_TAG_BYTES]);

/* The slot of a text without braces, or of what stands between them (Redis Cluster specification,
 * "Key distribution model"). */
unsigned partition_slot(struct span tag);

#endif
