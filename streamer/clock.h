/* clock: seconds that never jump, for every time-out. (libev's ev_now follows the wall clock.) */
#ifndef TIDINGS_STREAMER_CLOCK_H
#define TIDINGS_STREAMER_CLOCK_H

#include <time.h>

static inline double clock_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
