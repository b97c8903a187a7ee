/* crew: how many workers there are, and what each may take of what the settings allow all of them
 * together. */
#ifndef TIDINGS_STREAMER_CREW_H
#define TIDINGS_STREAMER_CREW_H

#include <stddef.h>
#include <stdint.h>

struct config;

/* Connections beyond the streams that a worker takes, to give them a short answer. */
#define CREW_SHORT_ANSWERS 64

struct crew {
	unsigned workers;
	uint64_t streams_each; /* what the files of one allow, never more than max_connections */
};

/* Decides, raises the limit of open files for all of them, and says on the log what was decided and
 * what does not fit. */
struct crew crew_size(const struct config *config);

/* How many workers one limit of files asks for: so many that each has some room left when the
 * system shares the connects out unevenly. */
unsigned crew_for_files(uint64_t streams, uint64_t streams_each);

/* The share of worker `number` (from 0) of `total`: together that makes the total, but none gets
 * nothing of something. */
size_t crew_share(size_t total, unsigned workers, unsigned number);

#endif
