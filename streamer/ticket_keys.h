/* ticket_keys: the keys that tickets are signed with, one a line of text:
 *
 *   # kid    algorithm  key
 *   2026-11  HS256      a-secret-of-32-bytes-or-more
 *   old      HS256      base64:c2VjcmV0IHdpdGggYnl0ZXMgb2YgYWxsIGtpbmRzIQ==
 *   web      RS256      /etc/tidings/web.pem
 *   app      ES256      /etc/tidings/app.pem
 *
 * A line fixes the algorithm of its key, whatever a token says of itself. */
#ifndef TIDINGS_STREAMER_TICKET_KEYS_H
#define TIDINGS_STREAMER_TICKET_KEYS_H

#include <stddef.h>
#include "common/span.h"

#define TICKET_KEYS_MAX         16
#define TICKET_KID_MAX_BYTES    64
#define TICKET_SECRET_MIN_BYTES 32 /* of HS256: RFC 7518 section 3.2 */

struct _cjose_jwk_int;

struct ticket_key {
	char kid[TICKET_KID_MAX_BYTES + 1];
	const char *alg; /* "HS256", "RS256", "ES256"; static */
	struct _cjose_jwk_int *jwk;
};

struct ticket_keys {
	size_t n;
	struct ticket_key keys[TICKET_KEYS_MAX];
};

struct ticket_keys_error {
	size_t line;     /* 0: the whole */
	const char *why; /* static */
};

/* Reads the lines, and the PEM files that they name. NULL with *error set. */
struct ticket_keys *ticket_keys_parse(const char *text, size_t len,
				      struct ticket_keys_error *error);

/* NULL is fine. */
void ticket_keys_free(struct ticket_keys *keys);

#endif
