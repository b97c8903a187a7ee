/* places: how many streams may be open, in all and for one client address, whichever worker has
 * them. */
#ifndef TIDINGS_STREAMER_PLACES_H
#define TIDINGS_STREAMER_PLACES_H

#include <stdbool.h>
#include <stdint.h>

struct client_ip;
struct shared;

struct places {
	struct shared *shared; /* borrowed; counts addresses where there is a limit of them */
	unsigned worker;
	uint64_t limit;        /* of all workers together */
	uint64_t limit_here;   /* of this one */
	uint64_t limit_per_ip; /* 0: none */
};

/* Takes one place. Returns NULL, or static words that say why there is none; nothing is taken then.
 */
const char *places_take(struct places *p, const struct client_ip *ip);

/* Gives back one that places_take took. */
void places_give_back(struct places *p, const struct client_ip *ip);

/* How many this worker has taken. */
uint64_t places_here(const struct places *p);

bool places_full(const struct places *p);

#endif
