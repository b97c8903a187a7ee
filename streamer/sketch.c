/* sketch: a register keeps the longest run of zeros that a hash of its share began with; the more
 * things, the longer. Hashes of 64 bits need no correction for large counts. */
#include "streamer/sketch.h"

#include <math.h>
#include <string.h>

#define INDEX_BITS 14

_Static_assert(SKETCH_REGISTERS == 1 << INDEX_BITS, "a register an index");

void sketch_clear(struct sketch *s)
{
	memset(s, 0, sizeof(*s));
}

void sketch_add(struct sketch *s, uint64_t hash)
{
	uint64_t rest = hash << INDEX_BITS | UINT64_C(1) << (INDEX_BITS - 1); /* ends the run */
	uint8_t run = (uint8_t)(__builtin_clzll(rest) + 1);
	uint8_t *at = &s->registers[hash >> (64 - INDEX_BITS)];

	if (run > *at)
		*at = run;
}

void sketch_merge(struct sketch *into, const struct sketch *from)
{
	for (unsigned i = 0; i < SKETCH_REGISTERS; i++)
		if (from->registers[i] > into->registers[i])
			into->registers[i] = from->registers[i];
}

/* While many registers are empty, their number says it better (linear counting). */
uint64_t sketch_count(const struct sketch *s)
{
	const double m = SKETCH_REGISTERS;
	double sum = 0, empty = 0;

	for (unsigned i = 0; i < SKETCH_REGISTERS; i++) {
		sum += ldexp(1, -(int)s->registers[i]);
		empty += s->registers[i] == 0;
	}
	double estimate = .7213 / (1 + 1.079 / m) * m * m / sum;
	if (estimate <= 2.5 * m && empty > 0)
		estimate = m * log(m / empty);
	return (uint64_t)llround(estimate);
}
