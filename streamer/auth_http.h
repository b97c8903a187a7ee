/* auth_http: HTTP calls to the auth URL by libcurl's multi interface on a libev loop. One call, one
 * answer; no policy. */
#ifndef TIDINGS_STREAMER_AUTH_HTTP_H
#define TIDINGS_STREAMER_AUTH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"
#include "streamer/auth_memory.h"

struct ask;
struct auth_http;
struct auth_http_call;
struct auth_url;
struct ev_loop;

struct auth_http_request {
	const struct auth_url *url;
	const struct ask *ask; /* method, URI and headers to pass on; borrowed, as all here, for the
				  time of auth_http_begin */
	struct span topic;     /* at == NULL: none, the question is in the body */
	struct span body;      /* JSON to POST; at == NULL: a GET */
	size_t max_answer;     /* bytes of the answer's body; more is cut */
	const char *client_ip; /* NULL: no X-Forwarded-For */
	unsigned timeout_ms;
};

/* All of it borrowed for the time of the callback. */
struct auth_http_answer {
	unsigned status; /* 0: no HTTP answer; why says what happened */
	bool failed;     /* no whole answer came: no connection, a time-out, a broken one */
	bool cut;        /* the answer was longer than we read, or broke off: why says so */
	struct span www_authenticate;
	struct auth_caching caching;
	struct span user, expires; /* X-SSE-User and X-SSE-Expires; at == NULL: none */
	struct span body;
	const char *redirect; /* where a 3xx points to; NULL: nowhere */
	const char *why;      /* "" when all is well */
};

typedef void (*auth_http_done_fn)(void *arg, const struct auth_http_answer *answer);

/* max_connections: to the backend at once. NULL when out of memory. */
struct auth_http *auth_http_new(struct ev_loop *loop, size_t max_connections);

/* Every call has been cancelled or answered. NULL is fine. */
void auth_http_free(struct auth_http *h);

/* `done` is called later from the loop, never from here; the handle is dead then. NULL when out of
 * memory. */
struct auth_http_call *auth_http_begin(struct auth_http *h, const struct auth_http_request *request,
				       auth_http_done_fn done, void *arg);

/* `done` will not be called. NULL is fine. */
void auth_http_cancel(struct auth_http_call *c);

#endif
