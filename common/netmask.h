/* netmask: is this peer one of those whose X-Forwarded-For is believed? (trusted_proxies) */
#ifndef TIDINGS_COMMON_NETMASK_H
#define TIDINGS_COMMON_NETMASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct netmask {
	bool unix_peer;      /* the word `unix`: peers on a unix socket */
	uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned prefix;     /* 0..128, counted in the 16 bytes */
};

/* "10.0.0.0/8", "::1", "unix". Returns 0 or -EINVAL; bits set behind the prefix are an error. */
int netmask_parse(const char *text, size_t len, struct netmask *out);

/* addr: AF_INET, AF_INET6 or AF_UNIX. */
bool netmask_match(const struct netmask *m, const struct sockaddr *addr);

/* The 16 bytes that a numeric address stands for (IPv4 mapped). Returns 0 or -EINVAL. */
int netmask_parse_address(const char *text, size_t len, uint8_t out[16]);

#endif
