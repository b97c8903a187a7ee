/* ip_count: a table address -> number, that holds only addresses with at least one stream. */
#include "streamer/ip_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/keyed_hash.h"
#include "streamer/forwarded.h"

struct ip_entry {
	uint8_t bytes[16];
	uint64_t streams;
	UT_hash_handle hh;
};

void ip_count_init(struct ip_count *c)
{
	c->entries = NULL;
	c->seed = keyed_hash_seed();
}

static struct ip_entry *find(const struct ip_count *c, const struct client_ip *ip)
{
	struct ip_entry *e;
	HASH_FIND_BYHASHVALUE(hh, c->entries, ip->bytes, sizeof(ip->bytes),
			      keyed_hash(c->seed, ip->bytes, sizeof(ip->bytes)), e);
	return e;
}

static struct ip_entry *add(struct ip_count *c, const struct client_ip *ip)
{
	struct ip_entry *e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	memcpy(e->bytes, ip->bytes, sizeof(e->bytes));
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, c->entries, e->bytes, sizeof(e->bytes),
				    keyed_hash(c->seed, e->bytes, sizeof(e->bytes)), e);
	if (!e->hh.tbl) {
		free(e);
		return NULL;
	}
	return e;
}

int ip_count_add(struct ip_count *c, const struct client_ip *ip, uint64_t limit)
{
	if (!ip->known)
		return 0;
	struct ip_entry *e = find(c, ip);
	if (e && e->streams >= limit)
		return -EUSERS;
	if (!e && !(e = add(c, ip)))
		return -ENOMEM;
	e->streams++;
	return 0;
}

void ip_count_remove(struct ip_count *c, const struct client_ip *ip)
{
	struct ip_entry *e = ip->known ? find(c, ip) : NULL;
	if (!e || --e->streams > 0)
		return;
	HASH_DEL(c->entries, e);
	free(e);
}

void ip_count_done(struct ip_count *c)
{
	while (c->entries) {
		struct ip_entry *e = c->entries;
		HASH_DEL(c->entries, e);
		free(e);
	}
}
