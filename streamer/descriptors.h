/* descriptors: how many connections a process may have open (RLIMIT_NOFILE), and how many workers
 * that makes. */
#ifndef TIDINGS_STREAMER_DESCRIPTORS_H
#define TIDINGS_STREAMER_DESCRIPTORS_H

#include <stdint.h>

/* Raises the limit, which the workers inherit, so that `wanted` connections and `reserved` other
 * descriptors fit into a process. Returns how many connections do: fewer than wanted where the
 * system allows no more. At least 1. */
uint64_t descriptors_fit(uint64_t wanted, uint64_t reserved);

/* The limit as it is. */
uint64_t descriptors_limit(void);

#endif
