/* payloads: reads tests/payloads.json, the one table of what goes in and what must come out (or be
 * refused); the tests of publish, of the browser and of Python read the same file. Each row:
 *
 *   name       words for people
 *   as         "json": published is the member `data` of a JSON body as it stands there; "form": it
 * is the decoded form field published  null where the member is missing object     true where form
 * text travels as the JSON object that it is (other form text as a JSON string) delivered  what the
 * listener hears, line breaks as LF; or else refused    the HTTP status
 *
 * published and delivered are bytes: a string stands for its UTF-8, {"hex":"c0af"} for any bytes,
 * {"repeat":X,"times":N} for N times X, and an array for its parts joined. */
#ifndef TIDINGS_TESTS_UNIT_PAYLOADS_H
#define TIDINGS_TESTS_UNIT_PAYLOADS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct payload {
	char *name;
	bool form, missing, object;
	struct buf published, delivered;
	int refused; /* 0: delivered */
};

struct payload_table {
	struct payload *rows;
	size_t n;
};

/* Reads the whole table; a test that can't read it fails. */
void payload_table_load(struct payload_table *table);
void payload_table_done(struct payload_table *table);

#endif
