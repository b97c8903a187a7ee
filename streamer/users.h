/* users: which permits are whose, so that a user's streams are found without a look at all. Pure
 * lists; owns the names. */
#ifndef TIDINGS_STREAMER_USERS_H
#define TIDINGS_STREAMER_USERS_H

#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

struct user;

struct users {
	struct user *table; /* those with at least one entry */
	uint64_t seed;
};

/* Embedded in whatever is a user's; zeroed: nobody's. */
struct user_entry {
	struct user *user;
	struct user_entry *prev, *next;
};

void users_init(struct users *u);

/* e, which is nobody's, is that user's. Returns 0 or -ENOMEM. */
int users_join(struct users *u, struct user_entry *e, struct span name);

/* It is nobody's any more. Harmless when it is nobody's already. */
void users_leave(struct users *u, struct user_entry *e);

/* The first entry of a user; NULL: there is none. */
struct user_entry *users_first(const struct users *u, struct span name);

/* at == NULL: nobody's. */
struct span users_name(const struct user_entry *e);

#endif
