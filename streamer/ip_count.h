/* ip_count: how many streams each client address has (max_connections_per_ip), in a table of fixed
 * size that all workers share. A worker's streams are counted in a column of its own, so that those
 * of one that died can be taken off. */
#ifndef TIDINGS_STREAMER_IP_COUNT_H
#define TIDINGS_STREAMER_IP_COUNT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct client_ip;

struct ip_count {
	pthread_mutex_t lock; /* of processes; survives whoever died with it */
	uint64_t seed;
	uint64_t buckets; /* a power of two */
	unsigned workers;
	/* behind it: a byte a bucket, whether it was ever used; then the buckets' entries */
};

/* Bytes for so many different addresses at a time; 0 when that is more than memory can have. */
size_t ip_count_size(uint64_t addresses, unsigned workers);

/* c: ip_count_size zeroed bytes that all workers share. Returns 0 or a negative errno. */
int ip_count_init(struct ip_count *c, uint64_t addresses, unsigned workers);

/* Counts one more of ip for this worker. Returns 0, -EUSERS when all workers together have `limit`
 * already, -ENOMEM when the table is full; nothing is counted on error. An unknown address is never
 * counted. */
int ip_count_add(struct ip_count *c, unsigned worker, const struct client_ip *ip, uint64_t limit);

/* Takes one off that ip_count_add counted. */
void ip_count_remove(struct ip_count *c, unsigned worker, const struct client_ip *ip);

/* Takes off all that this worker had counted. */
void ip_count_forget(struct ip_count *c, unsigned worker);

#endif
