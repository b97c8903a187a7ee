/* ticket: a signed token (RFC 7515, 7519) that says who may hear what, and until when. Pure: the
 * clock is the caller's. */
#ifndef TIDINGS_STREAMER_TICKET_H
#define TIDINGS_STREAMER_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

struct ticket_keys;

#define TICKET_MAX_BYTES      4096
#define TICKET_MAX_TOPICS     256
#define TICKET_SUB_MAX_BYTES  256
#define TICKET_LEEWAY_SECONDS 10 /* for nbf and iat: the clock of whoever signs may be ahead */

enum ticket_status {
	TICKET_GOOD,
	TICKET_EXPIRED, /* good but for that */
	TICKET_EARLY,   /* nbf or iat is still to come */
	TICKET_BAD,
	TICKET_NOMEM,
};

struct ticket {
	const char *why;     /* unless good: for the log; static */
	uint64_t exp;        /* seconds since 1970 */
	struct span *topics; /* names, or `prefix*` */
	size_t n_topics;
	struct span sub, cursor; /* at == NULL: none; the cursor may be anything */
	char *text;              /* what the spans view into */
};

/* Reads a token and checks it against the keys and `now`. With TICKET_GOOD and TICKET_EXPIRED all
 * of *t is filled; ticket_done ends it in every case. */
enum ticket_status ticket_read(struct ticket *t, const struct ticket_keys *keys, struct span token,
			       uint64_t now);
void ticket_done(struct ticket *t);

bool ticket_allows(const struct ticket *t, struct span topic);

#endif
