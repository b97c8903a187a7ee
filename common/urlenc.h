/* urlenc: percent-encoding and application/x-www-form-urlencoded (WHATWG URL section 5). */
#ifndef TIDINGS_COMMON_URLENC_H
#define TIDINGS_COMMON_URLENC_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"

struct buf;

/* Walks `a=b&c=d`. Views into the text; nothing is decoded. */
struct urlenc_walk {
	const char *at, *end;
};

void urlenc_walk(struct urlenc_walk *w, const char *text, size_t len);

/* Next pair; empty ones (`&&`) are passed over. value.at is NULL when there is no `=`. False at the
 * end. */
bool urlenc_next(struct urlenc_walk *w, struct span *name, struct span *value);

/* Decodes %XX, and + as a blank when plus_is_blank. out holds at least in.len bytes and may be
 * in.at itself. Returns the length, or -EINVAL at a `%` that two hexadecimal digits do not follow.
 */
long urlenc_decode(struct span in, bool plus_is_blank, char *out);

/* Appends text with everything but unreserved characters (RFC 3986 section 2.3) percent-encoded.
 * Returns 0, -ENOBUFS, -ENOMEM. */
int urlenc_append(struct buf *b, const char *text, size_t len);

#endif
