/* access: who may publish, and to which topics, and who may control listeners. Reads the text of a
 * tokens file, not the file. */
#ifndef TIDINGS_PUBLISHER_ACCESS_H
#define TIDINGS_PUBLISHER_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"

struct access_tokens; /* all of a tokens file; unchangeable */
struct access_token;  /* one line of it */

struct access_error {
	size_t line;     /* 0: not a line's fault */
	const char *why; /* static words, never holding a token */
};

/* Reads `name token [+control] [pattern …]` lines; `#` begins a comment line. A token may be
 * `sha256:` and the 64 hexadecimal digits of its digest; a pattern is a topic, or a beginning of
 * topics and `*`; without any the token is good for all topics. The right `+control` may stand
 * anywhere behind the token. The same name may stand in several lines (an old and a new token), the
 * same token may not. Returns NULL with *error set. A file without any token
 * is an error. */
struct access_tokens *access_tokens_parse(const char *text, size_t len, struct access_error *error);
void access_tokens_free(struct access_tokens *t);

/* Finds the line whose token this is; takes the same time for whatever token. *found borrows from
 * t. Returns 0, -ENOENT, -ENOMEM. */
int access_find(const struct access_tokens *t, struct span token,
		const struct access_token **found);

/* The name of a line, NUL-terminated. */
const char *access_name(const struct access_token *token);

/* May it publish to the topic? Or, of a pattern: do all topics that this fits lie within its own?
 */
bool access_allows(const struct access_token *token, struct span topic);

/* Has it the right to control listeners, of the topics that access_allows? */
bool access_controls(const struct access_token *token);

/* The token of an Authorization header `Bearer TOKEN` (the word in any case); at == NULL when it is
 * another scheme or malformed. header may be NULL. */
struct span access_bearer(const char *header);

#endif
