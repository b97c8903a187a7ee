/* fifo: a ring that doubles when it is full. Owns the ring. */
#include "streamer/fifo.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_CAP 16

void fifo_done(struct fifo *f)
{
	free(f->ring);
	*f = (struct fifo){0};
}

uint64_t *fifo_at(const struct fifo *f, size_t i)
{
	return &f->ring[(f->head + i) & (f->cap - 1)];
}

static int grow(struct fifo *f)
{
	size_t cap = f->cap ? f->cap * 2 : FIRST_CAP;
	uint64_t *ring = calloc(cap, sizeof(*ring));

	if (!ring)
		return -ENOMEM;
	for (size_t i = 0; i < f->count; i++)
		ring[i] = *fifo_at(f, i);
	free(f->ring);
	f->ring = ring;
	f->cap = cap;
	f->head = 0;
	return 0;
}

int fifo_push(struct fifo *f, uint64_t value)
{
	if (f->count == f->cap && grow(f) != 0)
		return -ENOMEM;
	*fifo_at(f, f->count++) = value;
	return 0;
}

bool fifo_pop(struct fifo *f, uint64_t *value)
{
	if (f->count == 0)
		return false;
	*value = *fifo_at(f, 0);
	f->head = (f->head + 1) & (f->cap - 1);
	f->count--;
	return true;
}

void fifo_clear(struct fifo *f)
{
	f->head = f->count = 0;
}
