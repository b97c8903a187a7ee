/* places: how many streams may be open, in all and for one client address. */
#ifndef TIDINGS_STREAMER_PLACES_H
#define TIDINGS_STREAMER_PLACES_H

#include <stdbool.h>
#include <stdint.h>
#include "streamer/ip_count.h"

struct client_ip;

struct places {
	uint64_t limit;        /* of all */
	uint64_t limit_per_ip; /* 0: none */
	uint64_t taken;
	struct ip_count ips;
};

void places_init(struct places *p, uint64_t limit, uint64_t limit_per_ip);
void places_done(struct places *p);

/* Takes one place. Returns NULL, or static words that say why there is none; nothing is taken then.
 */
const char *places_take(struct places *p, const struct client_ip *ip);

/* Gives back one that places_take took. */
void places_give_back(struct places *p, const struct client_ip *ip);

static inline bool places_full(const struct places *p)
{
	return p->taken >= p->limit;
}

#endif
