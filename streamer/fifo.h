/* fifo: numbers in the order in which they came: what was asked, until it is answered. */
#ifndef TIDINGS_STREAMER_FIFO_H
#define TIDINGS_STREAMER_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fifo {
	uint64_t *ring;
	size_t cap; /* a power of two, or 0 */
	size_t head, count;
};

/* A zeroed one is empty. */
void fifo_done(struct fifo *f);

/* Returns 0 or -ENOMEM; f is unchanged on error. */
int fifo_push(struct fifo *f, uint64_t value);

/* Takes the oldest; false when there is none. */
bool fifo_pop(struct fifo *f, uint64_t *value);

/* The i-th oldest, to be looked at or changed; i < count. */
uint64_t *fifo_at(const struct fifo *f, size_t i);

void fifo_clear(struct fifo *f);

#endif
