/* sketch: how many different things there are, about, when each of several processes saw some of
 * them (HyperLogLog, Flajolet et al. 2007): a fixed number of bytes, whatever the count. */
#ifndef TIDINGS_STREAMER_SKETCH_H
#define TIDINGS_STREAMER_SKETCH_H

#include <stdint.h>

#define SKETCH_REGISTERS 16384 /* a standard error of 0.8 % */

struct sketch {
	uint8_t registers[SKETCH_REGISTERS];
};

void sketch_clear(struct sketch *s);

/* One thing by its hash, of which all bits are evenly spread; the same one again changes nothing.
 */
void sketch_add(struct sketch *s, uint64_t hash);

/* Into `into` also goes what `from` has seen. */
void sketch_merge(struct sketch *into, const struct sketch *from);

/* How many different ones were added. */
uint64_t sketch_count(const struct sketch *s);

#endif
