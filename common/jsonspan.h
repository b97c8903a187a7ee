/* jsonspan: strict RFC 8259 checking without building anything, and finding where the bytes of a
 * member stand, so that `data` travels through untouched (json-c would turn big integers into other
 * numbers). All of it is linear in the length of the text and uses no recursion. */
#ifndef TIDINGS_COMMON_JSONSPAN_H
#define TIDINGS_COMMON_JSONSPAN_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"

enum jsonspan_status {
	JSONSPAN_OK,
	JSONSPAN_SYNTAX, /* not RFC 8259 (raw control bytes in strings included), or text behind the
			    value, or empty */
	JSONSPAN_UTF8,   /* a byte sequence that is not UTF-8 */
	JSONSPAN_DEPTH,  /* nests deeper than max_depth */
	JSONSPAN_SURROGATE, /* a \ud800-\udfff escape without its partner: names no character */
	JSONSPAN_END,       /* jsonspan_next: no more members or elements */
};

#define JSONSPAN_DEPTH_LIMIT 1024 /* the largest max_depth that may be asked for */

/* Checks that text is exactly one JSON value (white space around it allowed). A scalar has depth 0,
 * `[]` depth 1. When `at` is not NULL and the answer is not OK, *at is the offset of the trouble.
 * SYNTAX and UTF8 are found before DEPTH and SURROGATE when both hold, wherever they stand: the
 * caller tells "can't be read" from "breaks a rule". Past JSONSPAN_DEPTH_LIMIT open brackets the
 * check ends with DEPTH, whatever follows. */
enum jsonspan_status jsonspan_check(const char *text, size_t len, unsigned max_depth, size_t *at);

/* The value without the white space around it. text has passed jsonspan_check. */
struct span jsonspan_trim(const char *text, size_t len);

/* Walks the members of an object or the elements of an array. The text has passed jsonspan_check.
 */
struct jsonspan_walk {
	const char *at, *end;
	bool object, first;
};

/* Starts a walk over `value` (trimmed). Returns false when it is neither object nor array. */
bool jsonspan_walk(struct jsonspan_walk *w, struct span value);

/* Gives the next element, doubles included; for an object *name is the member's name *with its
 * quotes* (else left alone). *value is trimmed. Returns JSONSPAN_OK or JSONSPAN_END. */
enum jsonspan_status jsonspan_next(struct jsonspan_walk *w, struct span *name, struct span *value);

/* True when raw, a JSON string with its quotes, reads as `plain`; escapes are honoured. */
bool jsonspan_string_is(struct span raw, const char *plain);

/* True when raw is a JSON string (starts with a quote). */
bool jsonspan_is_string(struct span raw);

/* Decodes a checked JSON string (with its quotes) into out, which holds at least raw.len bytes (the
 * result is never longer). Returns the length; NUL characters may be inside. */
size_t jsonspan_unescape(struct span raw, char *out);

struct buf;
/* Appends text (valid UTF-8) as a JSON string with its quotes: escapes only what RFC 8259 asks for
 * (", \, U+0000 to U+001F) plus U+007F. Returns 0, -ENOBUFS, -ENOMEM; b is unchanged on error. */
int jsonspan_append_string(struct buf *b, const char *text, size_t len);

#endif
