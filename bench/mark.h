/* mark: what the load generator writes into an event and finds again at the other end: which event
 * it is, and when it was published. 25 printable bytes, which JSON and SSE leave as they are:
 *
 *   ~ 8 hex digits: the event's number, 16 hex digits: ns of CLOCK_MONOTONIC */
#ifndef TIDINGS_BENCH_MARK_H
#define TIDINGS_BENCH_MARK_H

#include <stddef.h>
#include <stdint.h>

#define MARK_BYTES 25

struct mark {
	uint32_t number;
	uint64_t ns;
};

/* Writes MARK_BYTES bytes, no NUL. */
void mark_write(struct mark m, char *out);

/* The first whole mark of at..end. Returns the byte behind it, or NULL when there is none; *m is
 * written on success alone. */
const char *mark_find(const char *at, const char *end, struct mark *m);

/* How many of the last bytes of at..end may be the beginning of a mark: 0..MARK_BYTES - 1. */
size_t mark_cut(const char *at, const char *end);

/* ns of CLOCK_MONOTONIC. */
uint64_t mark_now(void);

#endif
