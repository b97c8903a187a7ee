/* histogram: see histogram.h. Values below 128 have a bucket each; above, a power of two is cut
 * into 64. */
#include "bench/histogram.h"

static unsigned bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < 2 * HISTOGRAM_SUB)
		return (unsigned)value;
	shift = 63u - (unsigned)__builtin_clzll(value) - 6u;
	return shift * HISTOGRAM_SUB + (unsigned)(value >> shift);
}

/* The highest value of a bucket. */
static uint64_t highest_of(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * HISTOGRAM_SUB)
		return bucket;
	shift = bucket / HISTOGRAM_SUB - 1;
	return ((uint64_t)(bucket - shift * HISTOGRAM_SUB) << shift) + ((1ull << shift) - 1);
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->count++;
	h->buckets[bucket_of(value)]++;
	if (value > h->max)
		h->max = value;
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
	h->count += other->count;
	if (other->max > h->max)
		h->max = other->max;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += other->buckets[i];
}

uint64_t histogram_quantile(const struct histogram *h, double q)
{
	double wanted = q * (double)h->count;
	uint64_t below = 0;

	for (unsigned i = 0; h->count > 0 && i < HISTOGRAM_BUCKETS; i++) {
		below += h->buckets[i];
		if (below > 0 && (double)below >= wanted)
			return highest_of(i) < h->max ? highest_of(i) : h->max;
	}
	return h->max;
}
