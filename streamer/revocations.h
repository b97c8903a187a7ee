/* revocations: who may not hear what, and how long still. The clock is passed in. */
#ifndef TIDINGS_STREAMER_REVOCATIONS_H
#define TIDINGS_STREAMER_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/control.h"
#include "common/span.h"

struct revocation;

struct revocations {
	struct revocation *table;
	size_t n;
	/* How many name the beginnings of topics, of that length with its `*`; 0: none does. */
	uint32_t beginnings[TOPIC_MAX_BYTES + 2];
	uint64_t seed;
};

void revocations_init(struct revocations *r);
void revocations_done(struct revocations *r);

/* In force until then; one that is in force longer already stays. Returns 0 or -ENOMEM. */
int revocations_add(struct revocations *r, const struct control_selector *who, double until);

/* The one of the same selector is over. Harmless when there is none. */
void revocations_lift(struct revocations *r, const struct control_selector *who);

/* user.at == NULL: nobody by name. */
bool revocations_hold(const struct revocations *r, struct span user, struct span topic, double now);

/* Drops those that are over at `now`. */
void revocations_expire(struct revocations *r, double now);

#endif
