/* append_call: one call of append.lua, written in Redis's protocol. */
#ifndef TIDINGS_PUBLISHER_APPEND_CALL_H
#define TIDINGS_PUBLISHER_APPEND_CALL_H

#include <stdbool.h>
#include "common/cursor.h"
#include "common/span.h"
#include "publisher/log.h"

struct buf;
struct topic_space;

struct append_call {
	const struct publish_log_request *request;
	const struct topic_space *space;
	bool sharded;         /* a Cluster's channels */
	struct span once;     /* the key under which the request is remembered: idempotency key, or
				 the publisher's own */
	struct span known_as; /* what it is known by there: digest, or #N */
	struct event_id acknowledged;        /* zero: none yet */
	struct span server, acknowledged_by; /* who is asked, and who gave `acknowledged`; empty
						where there is but one */
	uint64_t history_size, history_seconds, rate_limit;
	uint64_t wait_replicas; /* by WAIT, after the answer */
};

/* Appends the call to b: by the script's digest, or with its text. Returns 0, -ENOBUFS, -ENOMEM. */
int append_call_write(const struct append_call *call, bool with_text, struct buf *b);

#endif
