/* route: one request becomes one ask. Pure: no socket, no clock. */
#ifndef TIDINGS_STREAMER_ROUTE_H
#define TIDINGS_STREAMER_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"

struct ask;
struct http_request;

#define ROUTE_MAX_BODY 65536 /* bytes of a POST to sse_path */

struct route_config {
	const char *sse_path;
	size_t max_topics;
	bool cluster;   /* which form of cursors is ours */
	char **forward; /* names of the headers that the auth call gets */
	size_t n_forward;
	const char
		*ticket_cookie; /* may hold a ticket; "": none may. NULL: tickets are not taken */
};

/* What is served where. */
enum route_place { ROUTE_PUBLIC, ROUTE_ADMIN, ROUTE_BOTH };

/* input: the request's bytes, which r and body view into, from malloc. Takes input over, also when
 * it fails. Returns the ask (wrong requests are asks too: ASK_ERROR), NULL when out of memory. */
struct ask *route(const struct route_config *config, enum route_place place,
		  const struct http_request *r, struct span body, char *input);

#endif
