/* auth_key: which calls of the auth URL are the same, and for whom else a verdict holds, as digests
 * (SHA-256), so that no secret is kept. */
#ifndef TIDINGS_STREAMER_AUTH_KEY_H
#define TIDINGS_STREAMER_AUTH_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

struct ask;
struct auth_vary;

#define AUTH_KEY_BYTES 32

struct auth_key {
	uint8_t bytes[AUTH_KEY_BYTES];
};

/* Who asks, but for the topic. */
struct auth_who {
	/* Verdicts: Authorization, Cookie, Origin, what is in the query and not for us (a token,
	 * perhaps: the auth URL sees it in X-Original-URI), and what answers were said to depend
	 * on. */
	struct auth_key credentials;
	/* Calls: these, and all else that the auth URL gets to see, but X-Request-Id and those
	 * parts of the query that are for us. */
	struct auth_key call;
	bool identified; /* it showed something that a user may be known by */
	size_t n_vary;   /* of the names that it was made with */
};

/* client_ip: NULL: not known. Returns 0 or -ENOMEM. */
int auth_who_read(const struct ask *ask, const char *client_ip, const struct auth_vary *vary,
		  struct auth_who *out);

/* One of the two keys above, for the n topics of `which` out of `topics`. Returns 0 or -ENOMEM. */
int auth_key_for(const struct auth_key *of, const struct span *topics, const uint16_t *which,
		 size_t n, struct auth_key *out);

#endif
