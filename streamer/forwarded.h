/* forwarded: whose connection is it? The peer, or behind a trusted proxy the address that
 * X-Forwarded-For names. */
#ifndef TIDINGS_STREAMER_FORWARDED_H
#define TIDINGS_STREAMER_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "common/netmask.h"

struct http_request;

/* An address as 16 bytes (IPv4 mapped); unknown for a unix-socket peer that nobody spoke for. */
struct client_ip {
	bool known;
	uint8_t bytes[16];
};

/* Walks X-Forwarded-For from the right (each proxy appends its peer) while the hop that said it is
 * trusted. What a stranger wrote is never believed: the first address that is not a trusted proxy's
 * is the client. */
struct client_ip forwarded_client(const struct netmask *trusted, size_t n_trusted,
				  const struct sockaddr *peer, const struct http_request *r);

/* Numeric text, "unknown" when it is not known; out holds 46 bytes. */
void client_ip_format(const struct client_ip *ip, char *out);

#endif
