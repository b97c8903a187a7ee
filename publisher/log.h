/* log: the seam between what is published and where it goes: the atomic append to topics' logs and
 * channels, and control messages to all streamers. Redis stands behind it; tests put something else
 * there. */
#ifndef TIDINGS_PUBLISHER_LOG_H
#define TIDINGS_PUBLISHER_LOG_H

#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/event.h"
#include "common/span.h"

enum publish_log_outcome {
	PUBLISH_LOG_DONE, /* all of it is published, now or by an earlier call with the same key */
	PUBLISH_LOG_MISMATCH, /* the key was used for another request: nothing is published */
	PUBLISH_LOG_LIMITED,  /* rate_limit_per_second: nothing is published; wait_ms says when */
	PUBLISH_LOG_REFUSED,  /* nothing is published; why says why */
	PUBLISH_LOG_UNKNOWN,  /* it may be published or not; why says why */
	PUBLISH_LOG_PARTLY,   /* some of its partitions have it, the others not, or perhaps; why */
	PUBLISH_LOG_UNSAFE,   /* it is published, and has not reached the replicas that are to have
				 it; why */
};

/* One event: its message but for the ids, and where it goes. All borrowed for the time of the call.
 */
struct publish_log_event {
	struct event_parts parts;
	const struct span *topics;
	size_t n_topics;
};

struct publish_log_request {
	const struct publish_log_event *events;
	size_t n;
	struct span key; /* idempotency: equal keys are one request; at == NULL: this request stands
			    alone */
	struct span digest; /* of what is published, compared when the key was used before; given
			       with key alone */
};

/* One event sent to several topics has a copy on each. */
static inline size_t publish_log_copies(const struct publish_log_request *request)
{
	size_t n = 0;

	for (size_t i = 0; i < request->n; i++)
		n += request->events[i].n_topics;
	return n;
}

struct control;

struct publish_log_refusal {
	const char *why;  /* words for people, without secrets, good until the next call */
	uint64_t wait_ms; /* on LIMITED: from then on it may pass */
};

struct publish_log {
	void *ctx;

	/* Of a Cluster: an event's copies have one id in each of these, of which all events of a
	 * request are published in their order, or none. 0: all is of one kind, and each event has
	 * one id. */
	unsigned partitions;

	/* Publishes the request, and gives the id of each copy, or else *refusal. */
	enum publish_log_outcome (*append)(void *ctx, const struct publish_log_request *request,
					   struct event_id *ids,
					   struct publish_log_refusal *refusal);

	/* Gives a control message, to which it puts an id, to every streamer that is connected, and
	 * keeps a revocation for those to come. DONE, with how many *heard it, or REFUSED, UNKNOWN,
	 * PARTLY, UNSAFE. It can be sent again without harm, whatever came of it. */
	enum publish_log_outcome (*control)(void *ctx, const struct control *message,
					    uint64_t *heard, struct publish_log_refusal *refusal);

	/* NULL when an append would reach Redis now, else why not. */
	const char *(*ping)(void *ctx);
};

#endif
