/* decode_case: what the tests of decode share: a body in, words for what came of it out. */
#ifndef TIDINGS_TESTS_UNIT_DECODE_CASE_H
#define TIDINGS_TESTS_UNIT_DECODE_CASE_H

#include <stddef.h>

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

enum { MAX_MESSAGE = 65536, TEXT_BYTES = 4096 };

struct body_case {
	const char *body, *expected;
};

/* Decodes a copy of exactly this length, so that a sanitizer sees every read past its end. Writes
 * to out[TEXT_BYTES] all that was decoded, as `name data [key] -> topic,topic` for each event, or
 * `status field` of the error; to detail[TEXT_BYTES], where not NULL, the error's body. Returns
 * what decode_body did. */
int decode(const char *content_type, const char *body, size_t len, char *out, char *detail);

/* Fails the test unless decode writes just that to out. */
void check(const char *content_type, const char *body, const char *expected);

#endif
