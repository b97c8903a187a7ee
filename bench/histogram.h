/* histogram: how often which time came, in buckets of at most 1.6 % width, and quantiles of that.
 */
#ifndef TIDINGS_BENCH_HISTOGRAM_H
#define TIDINGS_BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB     64 /* buckets of each power of two */
#define HISTOGRAM_BUCKETS (59 * HISTOGRAM_SUB)

struct histogram {
	uint64_t count, max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);
void histogram_merge(struct histogram *h, const struct histogram *other);

/* The value that a share q (0..1) of all does not exceed, to the width of a bucket; 0 of none. */
uint64_t histogram_quantile(const struct histogram *h, double q);

#endif
