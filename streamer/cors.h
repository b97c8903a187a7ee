/* cors: which pages of other origins may read our answers (WHATWG Fetch, section 3.2 "CORS
 * protocol"). */
#ifndef TIDINGS_STREAMER_CORS_H
#define TIDINGS_STREAMER_CORS_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"

struct buf;

struct cors {
	bool any;       /* `*`: everybody, never with credentials */
	char **origins; /* owned */
	size_t n_origins;
};

/* Adds one origin of the settings. Returns 0 or -ENOMEM. */
int cors_add(struct cors *c, const char *origin);

void cors_done(struct cors *c);

/* Appends the header lines for an answer to a request with this Origin (at == NULL: none). Only an
 * exact match is echoed. Returns 0, -ENOBUFS, -ENOMEM. */
int cors_headers(const struct cors *c, struct span origin, struct buf *b);

/* The further lines of a preflight's answer. */
extern const char cors_preflight_lines[];

#endif
