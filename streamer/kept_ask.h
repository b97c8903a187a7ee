/* kept_ask: what the auth URL was shown of a listener, kept so that it can be asked again while the
 * stream flows. What several streams were asked with alike (a user's windows on one page) is kept
 * once. */
#ifndef TIDINGS_STREAMER_KEPT_ASK_H
#define TIDINGS_STREAMER_KEPT_ASK_H

#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

struct ask;
struct kept_ask;

struct kept_asks {
	struct kept_ask *table;
	size_t bytes; /* of all that is kept */
	uint64_t seed;
};

void kept_asks_init(struct kept_asks *k);

/* Copies method, URI and the headers that are forwarded, but for X-Request-Id, which was of that
 * request. NULL when out of memory. Released as often as it was held. */
struct kept_ask *kept_ask_hold(struct kept_asks *k, const struct ask *ask);
void kept_ask_release(struct kept_asks *k, struct kept_ask *one); /* NULL is fine */

/* The same question about these topics, whose names are copied: to be ended with ask_free, before
 * `one` is released. NULL when out of memory. */
struct ask *kept_ask_again(const struct kept_ask *one, const struct span *topics, size_t n);

#endif
