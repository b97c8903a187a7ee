/* cursor: event ids `<milliseconds>-<n>`, which are also positions in the stream of all events of
 * one Redis. */
#ifndef TIDINGS_COMMON_CURSOR_H
#define TIDINGS_COMMON_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_id {
	uint64_t ms; /* at most 14 digits: the ids of our scripts fit 53 bits together with n */
	uint64_t n;  /* below 1024 in the ids of our scripts; at most 9 digits are read */
};

#define EVENT_ID_MAX_BYTES                                                                         \
	24 /* the longest text that event_id_parse takes or event_id_format makes */

/* Whole text, digits '-' digits, no sign, no leading zero but "0" itself. Returns 0 or -EINVAL;
 * *out on success alone. */
int event_id_parse(const char *text, size_t len, struct event_id *out);

/* Writes the text and a NUL to out[EVENT_ID_MAX_BYTES + 1]; returns its length. */
size_t event_id_format(struct event_id id, char *out);

/* <0, 0, >0 as a is before, at, behind b. */
int event_id_compare(struct event_id a, struct event_id b);

static inline bool event_id_is_zero(struct event_id id)
{
	return id.ms == 0 && id.n == 0;
}

#endif
