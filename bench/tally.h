/* tally: what the processes of the load generator count, in memory that they share. The parent
 * publishes, its children listen; each child has counters of its own that it alone writes. */
#ifndef TIDINGS_BENCH_TALLY_H
#define TIDINGS_BENCH_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench/histogram.h"

#define TALLY_PROCESSES 64
#define TALLY_RING      65536 /* events that may be under way: more than any window */

struct tally_process {
	_Atomic uint64_t open;   /* streams that have had their opening text */
	_Atomic uint64_t failed; /* connections refused, or answered with no stream */
	_Atomic uint64_t ended;  /* open streams that the server closed */
	_Atomic uint64_t warm;   /* streams that have had an event */
	_Atomic uint64_t received, late, doubled;
	_Atomic uint64_t opened_ns, last_ns; /* of the last opening, the last event that counts */
	struct histogram delays;             /* ns, of the events that count */
} __attribute__((aligned(64)));

struct tally {
	int wake;                  /* an eventfd: what the parent waits for may have come */
	_Atomic uint32_t base;     /* the first event that counts; what was before warms up */
	_Atomic bool waiting;      /* the parent sleeps until an event is complete */
	_Atomic uint64_t complete; /* events that all their listeners have */
	_Atomic uint32_t left[TALLY_RING]; /* deliveries that an event still lacks */
	unsigned n;
	struct tally_process processes[TALLY_PROCESSES];
};

/* NULL when there is no memory, or no descriptor. */
struct tally *tally_new(unsigned processes);

/* To be said before an event is sent. */
void tally_expect(struct tally *t, uint32_t number, uint32_t deliveries);

/* One delivery of it has come. */
void tally_delivered(struct tally *t, uint32_t number);

/* Some may be complete: to be said after all that was there has been read, or the parent would
 * publish one event for the first of them, and the server would have nothing to join it with. */
void tally_tell(struct tally *t);

void tally_wake(struct tally *t);

/* The sum of one counter: the processes' member at this offset. */
uint64_t tally_sum(const struct tally *t, size_t offset);

#define TALLY_SUM(t, member) tally_sum(t, offsetof(struct tally_process, member))

/* By the one process that writes it; costs less than an atomic addition. */
static inline void tally_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

#endif
