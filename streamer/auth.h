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
struct control_selector;
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

/* The verdict over all topics of an ask; good until the callback returns. */
struct auth_decision {
	enum auth_outcome outcome; /* AUTH_ALLOW, AUTH_DENY or AUTH_BUSY */
	size_t deciding;           /* the topic that decided, and its verdict; unless allowed */
	const struct auth_verdict *verdict;
	const struct auth_verdict *const *verdicts; /* of each topic; NULL: not known, where a
						       denial before it decided */
	const char *user;                           /* as the first topic's verdict says; "" */
	double until; /* clock_seconds, then it is to be asked anew; 0: the answers do not say */
};

/* The handle is dead when this is called. */
typedef void (*auth_done_fn)(void *arg, const struct auth_decision *decision);

/* NULL when out of memory. stats is borrowed. */
struct auth *auth_new(struct ev_loop *loop, const struct auth_config *config, struct stats *stats);

/* Cancels everything. */
void auth_free(struct auth *a);

/* Begins to ask for all topics of `ask`, which stays the caller's and must live as long as the
 * handle. client_ip: text for X-Forwarded-For, NULL: none. each: every topic's verdict is wanted,
 * even if one before it decides. `done` is called later from the loop, never from here. Returns
 * NULL with errno ENOBUFS when the line is full, ENOMEM. */
struct auth_ask *auth_begin(struct auth *a, const struct ask *ask, const char *client_ip, bool each,
			    auth_done_fn done, void *arg);

/* `done` will not be called. NULL is fine. */
void auth_cancel(struct auth_ask *h);

/* What was said of that user and topic so far does not count any more: it is not used again, and
 * whoever waits for an answer to a call that was under way is told of none that names them, but of
 * one that is asked for now. */
void auth_forget(struct auth *a, const struct control_selector *who);

size_t auth_inflight(const struct auth *a);
size_t auth_waiting(const struct auth *a);

/* It failed so often that everybody is busy at once, but for one call a second. */
bool auth_is_broken(const struct auth *a);

#endif
