/* places: counts; who is turned away and how is server.c's. A worker adds its own one and then
 * looks at all: two that come at once for the last place may both be refused, never both be taken.
 */
#include "streamer/places.h"

#include <stddef.h>
#include "streamer/shared.h"

static uint64_t *own(const struct places *p)
{
	return &p->shared->slots[p->worker].places;
}

uint64_t places_here(const struct places *p)
{
	return __atomic_load_n(own(p), __ATOMIC_RELAXED);
}

static uint64_t taken(const struct places *p)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < p->shared->workers; i++)
		sum += __atomic_load_n(&p->shared->slots[i].places, __ATOMIC_SEQ_CST);
	return sum;
}

bool places_full(const struct places *p)
{
	return places_here(p) >= p->limit_here || taken(p) >= p->limit;
}

static bool take(struct places *p)
{
	if (places_here(p) >= p->limit_here)
		return false;
	__atomic_add_fetch(own(p), 1, __ATOMIC_SEQ_CST);
	if (taken(p) <= p->limit)
		return true;
	__atomic_sub_fetch(own(p), 1, __ATOMIC_SEQ_CST);
	return false;
}

const char *places_take(struct places *p, const struct client_ip *ip)
{
	if (!take(p))
		return "Server connection limit reached. Try again later.";
	if (!p->limit_per_ip || ip_count_add(p->shared->ips, p->worker, ip, p->limit_per_ip) == 0)
		return NULL;
	__atomic_sub_fetch(own(p), 1, __ATOMIC_SEQ_CST);
	return "Connection limit of your address reached. Try again later.";
}

void places_give_back(struct places *p, const struct client_ip *ip)
{
	__atomic_sub_fetch(own(p), 1, __ATOMIC_SEQ_CST);
	if (p->limit_per_ip)
		ip_count_remove(p->shared->ips, p->worker, ip);
}
