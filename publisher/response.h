/* response: the answer to one request: a status, a few headers, a JSON body. */
#ifndef TIDINGS_PUBLISHER_RESPONSE_H
#define TIDINGS_PUBLISHER_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/buf.h"

struct publish_log_request;
struct event_id;

struct response {
	unsigned status;
	const char *allow;    /* methods for Allow; NULL: none */
	bool challenge;       /* WWW-Authenticate: Bearer */
	unsigned retry_after; /* seconds; 0: none */
	struct buf body;
};

void response_init(struct response *r);
void response_done(struct response *r);

/* {"detail":…,"field":…}; what was said before is replaced. field: which part of the request, NULL
 * for none; both are valid UTF-8. A 401 gets its challenge, a 503 its Retry-After. Never fails:
 * without memory the body is left empty. */
void response_error(struct response *r, unsigned status, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* 405, with the methods that are taken. */
void response_method(struct response *r, const char *allow);

/* 429: no more events a second; from wait_ms on there may be. */
void response_limited(struct response *r, uint64_t wait_ms);

/* 204 to OPTIONS. */
void response_options(struct response *r, const char *allow);

/* 200 {"id":…}, or {"ids":[…]} for a batch; out of memory it becomes a 503. ids: of each copy, as
 * publish_log gives them, and partitions as it says: with any, each event's ids are told by
 * partition, too. */
void response_published(struct response *r, const struct publish_log_request *request,
			const struct event_id *ids, unsigned partitions, bool batch);

/* 200 {"heard_by":…} to a control message. */
void response_heard(struct response *r, uint64_t heard_by);

/* 200 or 503 of the health check; why: NULL when all is well. */
void response_health(struct response *r, const char *why);

/* Appends the whole answer as a CGI program gives it (Status: and headers with CRLF, a blank line,
 * the body) to out. Returns 0, -ENOBUFS, -ENOMEM. */
int response_render(const struct response *r, bool with_body, struct buf *out);

#endif
