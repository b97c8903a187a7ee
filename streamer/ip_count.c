/* ip_count: an address may stand in either of two buckets of 16, by two parts of its hash; the
 * hash has a random seed, and the table twice as many entries as are needed, so that both are full
 * practically never. An entry without a stream is free. The lock is held for a look at two buckets;
 * who dies with it leaves at worst an entry without a stream. */
#include "streamer/ip_count.h"

#include <errno.h>
#include <string.h>
#include "common/keyed_hash.h"
#include "streamer/forwarded.h"

#define BUCKET 16

/* One address; its counts, a worker each, follow. */
struct entry {
	uint8_t bytes[16];
	uint32_t streams[];
};

static size_t entry_size(unsigned workers)
{
	return sizeof(struct entry) + workers * sizeof(uint32_t);
}

static uint64_t buckets_for(uint64_t addresses)
{
	uint64_t n = 1;
	while (n * BUCKET / 2 < addresses)
		n *= 2;
	return n;
}

size_t ip_count_size(uint64_t addresses, unsigned workers)
{
	if (addresses > SIZE_MAX / 8 / entry_size(workers))
		return 0;
	uint64_t n = buckets_for(addresses);
	return sizeof(struct ip_count) + (size_t)n * (1 + BUCKET * entry_size(workers)) + 8;
}

static uint8_t *used(struct ip_count *c)
{
	return (uint8_t *)(c + 1);
}

static struct entry *entry_at(struct ip_count *c, uint64_t bucket, unsigned i)
{
	size_t flags = ((size_t)c->buckets + 7) & ~(size_t)7;
	char *first = (char *)(c + 1) + flags;
	return (struct entry *)(void *)(first + (bucket * BUCKET + i) * entry_size(c->workers));
}

static uint64_t streams_of(const struct ip_count *c, const struct entry *e)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < c->workers; i++)
		sum += e->streams[i];
	return sum;
}

static void lock(struct ip_count *c)
{
	if (pthread_mutex_lock(&c->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&c->lock);
}

static void unlock(struct ip_count *c)
{
	pthread_mutex_unlock(&c->lock);
}

int ip_count_init(struct ip_count *c, uint64_t addresses, unsigned workers)
{
	pthread_mutexattr_t kind;
	int err = pthread_mutexattr_init(&kind);

	if (err)
		return -err;
	pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
	err = pthread_mutex_init(&c->lock, &kind);
	pthread_mutexattr_destroy(&kind);
	c->seed = keyed_hash_seed();
	c->buckets = buckets_for(addresses);
	c->workers = workers;
	return -err;
}

/* The entry of that address; else, where `spare` is given, a free one there. */
static struct entry *find(struct ip_count *c, const struct client_ip *ip, uint64_t *spare_bucket,
			  struct entry **spare)
{
	uint64_t hash = keyed_hash_wide(c->seed, ip->bytes, sizeof(ip->bytes));
	uint64_t buckets[] = {hash & (c->buckets - 1), (hash >> 32) & (c->buckets - 1)};

	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < BUCKET; i++) {
			struct entry *e = entry_at(c, buckets[k], i);
			bool free = streams_of(c, e) == 0;

			if (!free && memcmp(e->bytes, ip->bytes, sizeof(e->bytes)) == 0)
				return e;
			if (free && spare && !*spare) {
				*spare = e;
				*spare_bucket = buckets[k];
			}
		}
	return NULL;
}

static int add(struct ip_count *c, unsigned worker, const struct client_ip *ip, uint64_t limit)
{
	struct entry *spare = NULL;
	uint64_t bucket = 0;
	struct entry *e = find(c, ip, &bucket, &spare);

	if (e && streams_of(c, e) >= limit)
		return -EUSERS;
	if (!e && !spare)
		return -ENOMEM;
	if (!e) {
		e = spare;
		memcpy(e->bytes, ip->bytes, sizeof(e->bytes));
		used(c)[bucket] = 1;
	}
	e->streams[worker]++;
	return 0;
}

int ip_count_add(struct ip_count *c, unsigned worker, const struct client_ip *ip, uint64_t limit)
{
	if (!ip->known)
		return 0;
	lock(c);
	int err = add(c, worker, ip, limit);
	unlock(c);
	return err;
}

void ip_count_remove(struct ip_count *c, unsigned worker, const struct client_ip *ip)
{
	if (!ip->known)
		return;
	lock(c);
	struct entry *e = find(c, ip, NULL, NULL);
	if (e && e->streams[worker] > 0)
		e->streams[worker]--;
	unlock(c);
}

void ip_count_forget(struct ip_count *c, unsigned worker)
{
	lock(c);
	for (uint64_t bucket = 0; bucket < c->buckets; bucket++)
		for (unsigned i = 0; used(c)[bucket] && i < BUCKET; i++)
			entry_at(c, bucket, i)->streams[worker] = 0;
	unlock(c);
}
