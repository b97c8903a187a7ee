/* auth_fields: the headers of an answer of the auth URL that matter, line by line. Pure. */
#ifndef TIDINGS_STREAMER_AUTH_FIELDS_H
#define TIDINGS_STREAMER_AUTH_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"

#define AUTH_FIELD_MAX_BYTES 512

enum auth_field {
	AUTH_FIELD_CHALLENGE,
	AUTH_FIELD_CACHE_CONTROL,
	AUTH_FIELD_VARY,
	AUTH_FIELD_AGE,
	AUTH_FIELD_USER,
	AUTH_FIELD_EXPIRES,
};

#define AUTH_FIELDS (AUTH_FIELD_EXPIRES + 1)

struct auth_fields {
	struct auth_field_text {
		bool there, too_long;
		size_t len;
		char bytes[AUTH_FIELD_MAX_BYTES];
	} of[AUTH_FIELDS];
};

/* One line of a head, with its line end. A status line begins anew: what came before it was
 * provisional. f began as zeros. */
void auth_fields_add(struct auth_fields *f, struct span line);

/* The value of all its lines, joined by commas; at == NULL: it was not there. One longer than
 * AUTH_FIELD_MAX_BYTES reads as what forbids any use of the answer a second time, a challenge as
 * none, the user and the expiry as what they can't be. */
struct span auth_fields_get(const struct auth_fields *f, enum auth_field which);

#endif
