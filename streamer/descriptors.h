/* descriptors: how many connections this process may have open (RLIMIT_NOFILE). */
#ifndef TIDINGS_STREAMER_DESCRIPTORS_H
#define TIDINGS_STREAMER_DESCRIPTORS_H

#include <stdint.h>

/* Raises the limit so that `wanted` connections and `reserved` other descriptors fit. Returns how
 * many connections do: fewer than wanted where the system allows no more, which a warning on the
 * log says. At least 1. */
uint64_t descriptors_fit(uint64_t wanted, uint64_t reserved);

#endif
