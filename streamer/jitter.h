/* jitter: chance, so that many clients (or many streamers) do not come back in the same moment. */
#ifndef TIDINGS_STREAMER_JITTER_H
#define TIDINGS_STREAMER_JITTER_H

#include <stdint.h>

/* A number of low..high, both included (low <= high). */
uint64_t jitter_between(uint64_t low, uint64_t high);

/* base +-20 %. */
uint64_t jitter_around(uint64_t base);

#endif
