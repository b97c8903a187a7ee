/* ip_count: how many streams each client address has (max_connections_per_ip). */
#ifndef TIDINGS_STREAMER_IP_COUNT_H
#define TIDINGS_STREAMER_IP_COUNT_H

#include <stddef.h>
#include <stdint.h>

struct client_ip;
struct ip_entry;

struct ip_count {
	struct ip_entry *entries;
	uint64_t seed;
};

void ip_count_init(struct ip_count *c);
void ip_count_done(struct ip_count *c);

/* Counts one more of ip. Returns 0, -EUSERS when there are `limit` already, -ENOMEM; nothing is
 * counted on error. An unknown address is never counted. */
int ip_count_add(struct ip_count *c, const struct client_ip *ip, uint64_t limit);

/* Takes one off that ip_count_add counted. */
void ip_count_remove(struct ip_count *c, const struct client_ip *ip);

#endif
