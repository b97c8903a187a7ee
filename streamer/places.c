/* places: counts; who is turned away and how is server.c's. */
#include "streamer/places.h"

#include <stddef.h>

void places_init(struct places *p, uint64_t limit, uint64_t limit_per_ip)
{
	*p = (struct places){.limit = limit, .limit_per_ip = limit_per_ip};
	ip_count_init(&p->ips);
}

void places_done(struct places *p)
{
	ip_count_done(&p->ips);
}

const char *places_take(struct places *p, const struct client_ip *ip)
{
	if (places_full(p))
		return "Server connection limit reached. Try again later.";
	if (p->limit_per_ip && ip_count_add(&p->ips, ip, p->limit_per_ip) != 0)
		return "Connection limit of your address reached. Try again later.";
	p->taken++;
	return NULL;
}

void places_give_back(struct places *p, const struct client_ip *ip)
{
	p->taken--;
	if (p->limit_per_ip)
		ip_count_remove(&p->ips, ip);
}
