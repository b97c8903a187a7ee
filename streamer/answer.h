/* answer: heads and bodies of everything that is said over HTTP (RFC 9110, 9112). Each function
 * returns one frame with one reference that the caller owns, NULL when out of memory. Every answer
 * closes its connection. */
#ifndef TIDINGS_STREAMER_ANSWER_H
#define TIDINGS_STREAMER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "common/span.h"

struct cors;
struct frame;

/* What every answer needs to know of its request. */
struct answer_to {
	const struct cors *cors; /* NULL: no CORS lines */
	struct span origin;      /* at == NULL: none */
	bool head;               /* no body */
	bool event_stream;       /* the client takes text/event-stream */
	time_t now;              /* for Date */
};

/* 200, the head of a stream: text/event-stream, never cached, transformed or buffered. */
struct frame *answer_stream_head(const struct answer_to *to);

/* The same with X-SSE-Cursor. */
struct frame *answer_stream_head_at(const struct answer_to *to, struct span cursor);

/* A JSON body with its head. */
struct frame *answer_json(const struct answer_to *to, unsigned status, struct span json);

/* {"detail":…}. allow: the methods of a 405, www_authenticate of a 401; NULL: none; no line breaks
 * in either. */
struct frame *answer_error(const struct answer_to *to, unsigned status, struct span detail,
			   const char *allow, const char *www_authenticate);

/* What is said to whoever may not hear the topic, and is told no other words. Writes to
 * out[ANSWER_DENIAL_BYTES] and returns it. */
#define ANSWER_DENIAL_BYTES 320
const char *answer_denial(struct span topic, char *out);

/* "Not now": for EventSource 200 with `retry:` and `event: sse.busy`, since it gives up for ever on
 * a 503; for others 503 with Retry-After. */
struct frame *answer_busy(const struct answer_to *to, const char *detail, uint64_t retry_ms);

/* 307 to location, which has no line break in it. */
struct frame *answer_redirect(const struct answer_to *to, struct span location);

/* 204 to OPTIONS. */
struct frame *answer_preflight(const struct answer_to *to, const char *allow);

/* 200 with text of another type. */
struct frame *answer_text(const struct answer_to *to, const char *type, struct span text);

/* "HTTP/1.1 100 Continue", static. */
struct frame *answer_continue(void);

#endif
