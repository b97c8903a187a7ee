/* verdicts: a bounded table of verdicts, each with the moment at which it ends. Knows no reason why
 * one may be kept. The clock is passed in. */
#ifndef TIDINGS_STREAMER_VERDICTS_H
#define TIDINGS_STREAMER_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/control.h"
#include "common/span.h"
#include "streamer/auth_key.h"
#include "streamer/auth_reply.h"

struct kept_verdict;

struct verdicts {
	struct kept_verdict *table;
	struct kept_verdict **heap; /* the one that ends first on top */
	size_t n, max;
	uint64_t seed;
};

/* At most max (> 0) are kept. Returns 0 or -ENOMEM. */
int verdicts_init(struct verdicts *v, size_t max);
void verdicts_done(struct verdicts *v); /* also of one that is all zeros */

/* Keeps a verdict on `topic` until then (seconds of the caller's clock), instead of an earlier one
 * under that key. When the table is full, the one that ends first goes, which may be this one.
 * Returns 0, or -ENOMEM: it is not kept. */
int verdicts_keep(struct verdicts *v, const struct auth_key *key, struct span topic,
		  const struct auth_verdict *verdict, double until);

/* Copies the verdict under key, when there is one that has not ended at `now`. */
bool verdicts_find(const struct verdicts *v, const struct auth_key *key, double now,
		   struct auth_verdict *out);

/* Drops those of that user and topic, and those of nobody by name, which may be the user's. */
void verdicts_forget(struct verdicts *v, const struct control_selector *who);

/* Drops those that have ended at `now`. */
void verdicts_expire(struct verdicts *v, double now);

#endif
