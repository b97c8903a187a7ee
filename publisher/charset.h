/* charset: the character sets that a form may come in, as old applications send it. */
#ifndef TIDINGS_PUBLISHER_CHARSET_H
#define TIDINGS_PUBLISHER_CHARSET_H

#include <stddef.h>
#include "common/span.h"

enum charset { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_WINDOWS1252 };

/* Reads the name of one, in any case. Returns 0, or -ENOENT of another one. */
int charset_find(struct span name, enum charset *out);

/* The most bytes that the text takes as UTF-8. */
size_t charset_room(struct span text);

/* Turns text, which is not in UTF-8, into it; out holds charset_room(text). Returns the length, or
 * -EILSEQ with *bad, a byte that is no character. */
long charset_decode(enum charset charset, struct span text, char *out, unsigned char *bad);

#endif
