/* subscribe_form: the topics, the cursor and the event filter of a subscription, from query,
 * headers and body. */
#ifndef TIDINGS_STREAMER_SUBSCRIBE_FORM_H
#define TIDINGS_STREAMER_SUBSCRIBE_FORM_H

#include <stddef.h>
#include "common/span.h"

struct ask;
struct http_request;

enum subscribe_form_status {
	SUBSCRIBE_FORM_OK,
	SUBSCRIBE_FORM_BAD, /* *status says 400, 413, 415; *why says why, or a->detail where *why is
			       NULL */
	SUBSCRIBE_FORM_NOMEM,
};

/* Fills topics, n_topics, events, n_events, cursor, wait_seconds and decoded of a. cluster: which
 * form of cursors is ours. */
enum subscribe_form_status subscribe_form_read(struct ask *a, size_t max_topics, bool cluster,
					       const struct http_request *r, struct span body,
					       unsigned *status, const char **why);

#endif
