/* jitter: random numbers from the kernel; the few that are needed cost a system call each, and no
 * state. */
#include "streamer/jitter.h"

#include <sys/random.h>

uint64_t jitter_between(uint64_t low, uint64_t high)
{
	uint64_t chance = 0;
	uint64_t width = high - low + 1; /* 0: the whole range */

	/* An interrupted or refused call leaves 0: less spread, nothing worse. */
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = 0;
	return width ? low + chance % width : chance;
}

uint64_t jitter_around(uint64_t base)
{
	uint64_t fifth = base / 5;
	return jitter_between(base - fifth, base + fifth);
}
