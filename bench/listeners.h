/* listeners: the streams of one process of the load generator. */
#ifndef TIDINGS_BENCH_LISTENERS_H
#define TIDINGS_BENCH_LISTENERS_H

#include <stdint.h>

struct load_options;
struct tally;

/* Opens streams first.. (count of them) and the stalled ones, reads all that comes, and counts it
 * as process `index` of the tally; ends only by a signal. stalled: streams that never read. */
__attribute__((noreturn)) void listeners_run(const struct load_options *o, struct tally *t,
					     unsigned index, uint64_t first, uint64_t count,
					     uint64_t stalled);

#endif
