/* reception: how whoever gets no stream is told so: refusals, busy, denials, the answer to a
 * preflight. Each ends the connection, and is counted. */
#ifndef TIDINGS_STREAMER_RECEPTION_H
#define TIDINGS_STREAMER_RECEPTION_H

#include <stddef.h>
#include <stdint.h>
#include "streamer/answer.h"

struct ask;
struct auth_verdict;
struct client;
struct http_error;
struct http_request;
struct stats;

struct reception {
	const struct cors *cors; /* of answers at the public addresses; borrowed */
	struct stats *stats;     /* borrowed */
};

/* ask may be NULL: nothing is known of the request. */
struct answer_to reception_answer_to(const struct reception *r, const struct client *c,
				     const struct ask *ask);

/* Sends the answer, which is taken (NULL: out of memory), and ends the connection. */
void reception_finish(struct client *c, struct frame *answer);

/* It could not be read; request: its head where that could, else NULL. */
void reception_refuse(const struct reception *r, struct client *c, const struct http_error *error,
		      const struct http_request *request);

/* ASK_ERROR. */
void reception_refuse_ask(const struct reception *r, struct client *c, const struct ask *ask);

/* ASK_PREFLIGHT. */
void reception_preflight(const struct reception *r, struct client *c, const struct ask *ask);

void reception_busy(const struct reception *r, struct client *c, const struct ask *ask,
		    const char *detail, uint64_t retry_ms);

/* No ticket, or one that is not good: 401. detail: static. */
void reception_refuse_ticket(const struct reception *r, struct client *c, const struct ask *ask,
			     const char *detail);

/* An expired ticket: 307 to renew_url, with the query of the request but for its ticket. */
void reception_renew(const struct reception *r, struct client *c, const struct ask *ask,
		     const char *renew_url);

/* deciding: the topic that was denied. */
void reception_deny(const struct reception *r, struct client *c, const struct ask *ask,
		    size_t deciding, const struct auth_verdict *verdict);

/* 403: the ticket is not for this topic. */
void reception_deny_topic(const struct reception *r, struct client *c, const struct ask *ask,
			  size_t deciding);

#endif
