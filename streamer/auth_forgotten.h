/* auth_forgotten: of whom and what the auth URL's words were to be forgotten lately, so that an
 * answer to what was asked before can be told from one that counts. */
#ifndef TIDINGS_STREAMER_AUTH_FORGOTTEN_H
#define TIDINGS_STREAMER_AUTH_FORGOTTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/control.h"
#include "common/span.h"

#define AUTH_FORGOTTEN_MAX 4096

struct forgotten;

struct auth_forgotten {
	struct forgotten *ring[AUTH_FORGOTTEN_MAX]; /* number i stands at i modulo its size */
	uint64_t n;                                 /* of all so far */
	uint64_t unknown; /* what was asked before that many were forgotten may be any of those */
};

/* Notes one. Without memory everything that was asked until now counts as meant. */
void auth_forgotten_add(struct auth_forgotten *f, const struct control_selector *who);
void auth_forgotten_done(struct auth_forgotten *f);

/* Whether what was asked when `since` were forgotten, about that user (at == NULL: nobody by name)
 * and one of these topics, was named after it. More than AUTH_FORGOTTEN_MAX ago may be any. */
bool auth_forgotten_names(const struct auth_forgotten *f, uint64_t since, struct span user,
			  const struct span *topics, size_t n);

#endif
