/* keyed_hash: the hash of every table whose keys strangers choose. Owns no table; each keeps its
 * seed beside its head. */
#include "common/keyed_hash.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* For a system that refuses getrandom (a seccomp filter, an old kernel): a start-up that differs
 * from the others is still better than none, and the addresses are random where the system
 * randomises them. */
static uint64_t seed_from_surroundings(void)
{
	struct {
		struct timespec now;
		const void *stack;
		uint64_t pid;
	} mix = {.stack = &mix, .pid = (uint64_t)getpid()};

	clock_gettime(CLOCK_REALTIME, &mix.now);
	return XXH3_64bits(&mix, sizeof(mix));
}

uint64_t keyed_hash_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return seed_from_surroundings();
	return seed;
}

uint64_t keyed_hash_wide(uint64_t seed, const void *key, size_t len)
{
	return XXH3_64bits_withSeed(key, len, seed);
}

unsigned keyed_hash(uint64_t seed, const void *key, size_t len)
{
	return (unsigned)keyed_hash_wide(seed, key, len);
}
