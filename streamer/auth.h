/* auth: who may hear which topic (docs/PROTOCOL.md): asks the auth URL, through libcurl and without
 * stopping the loop, unless an answer that it gave before may be used again. */
#ifndef TIDINGS_STREAMER_AUTH_H
#define TIDINGS_STREAMER_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"
#include "streamer/auth_reply.h"

struct ask;
struct auth;
struct auth_ask;
struct ev_loop;
struct stats;

struct auth_config {
	const char *url; /* http(s)://…, with {topic} or without, or unix:/path:/uri; borrowed for
			    auth's life */
	unsigned timeout_ms;
	size_t max_inflight;
	size_t max_waiting; /* distinct calls in line */
	bool batch;         /* one call for all topics */
};

/* The verdict over all topics: AUTH_ALLOW, AUTH_DENY or AUTH_BUSY. deciding: index of the topic
 * that decided, and its verdict (not NULL unless allowed). The handle is dead when this is called.
 */
typedef void (*auth_done_fn)(void *arg, enum auth_outcome outcome, size_t deciding,
			     const struct auth_verdict *verdict);

/* NULL when out of memory. stats is borrowed. */
struct auth *auth_new(struct ev_loop *loop, const struct auth_config *config, struct stats *stats);

/* Cancels everything. */
void auth_free(struct auth *a);

/* Begins to ask for all topics of `ask`, which stays the caller's and must live as long as the
 * handle. client_ip: text for X-Forwarded-For, NULL: none. `done` is called later from the loop,
 * never from here. Returns NULL with errno ENOBUFS when the line is full, ENOMEM. */
struct auth_ask *auth_begin(struct auth *a, const struct ask *ask, const char *client_ip,
			    auth_done_fn done, void *arg);

/* `done` will not be called. NULL is fine. */
void auth_cancel(struct auth_ask *h);

size_t auth_inflight(const struct auth *a);
size_t auth_waiting(const struct auth *a);

/* It failed so often that everybody is busy at once, but for one call a second. */
bool auth_is_broken(const struct auth *a);

#endif
