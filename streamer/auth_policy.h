/* auth_policy: what an answer of the auth URL says about being used again (RFC 9111): for how long,
 * for whom, and which headers of the request it depends on. Whatever is doubtful means: not again.
 * Pure. */
#ifndef TIDINGS_STREAMER_AUTH_POLICY_H
#define TIDINGS_STREAMER_AUTH_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

#define AUTH_VARY_MAX        16
#define AUTH_VARY_NAME_BYTES 64

struct auth_policy {
	uint32_t seconds; /* from the request on; 0: not to be used again */
	bool is_private;  /* for the one user whom the request was about alone */
};

/* Lines of one name are joined by commas; at == NULL: there is none. */
struct auth_policy auth_policy_read(struct span cache_control, struct span age);

/* Names of request headers that answers were said to depend on, beside those that every verdict is
 * kept apart by (auth_key.h). It only grows: what depends on too much is right, too. */
struct auth_vary {
	size_t n;
	char names[AUTH_VARY_MAX][AUTH_VARY_NAME_BYTES];
};

/* Adds what a Vary names (at == NULL: nothing). False when the answer must not be used again: `*`,
 * what can't be a header's name, or more names than there is room for; v is unchanged then. */
bool auth_vary_learn(struct auth_vary *v, struct span vary);

#endif
