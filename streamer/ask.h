/* ask: what one request asks for, found by route.c; outlives the request while its verdict is
 * waited for. */
#ifndef TIDINGS_STREAMER_ASK_H
#define TIDINGS_STREAMER_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"
#include "streamer/http_request.h"

enum ask_kind {
	ASK_ERROR,     /* status, detail and allow say what to answer */
	ASK_STREAM,    /* GET or POST of sse_path */
	ASK_PREFLIGHT, /* OPTIONS of sse_path */
	ASK_HEALTH,
	ASK_READY,
	ASK_LIVE,
	ASK_METRICS,    /* JSON */
	ASK_PROMETHEUS, /* text */
};

#define ASK_DETAIL_BYTES 320

struct ask {
	enum ask_kind kind;
	bool head;         /* HEAD: the answer has no body */
	bool event_stream; /* Accept names text/event-stream: a refusal for now must be a stream, or
			      EventSource gives up */
	unsigned status;   /* of ASK_ERROR */
	const char *allow; /* of 405: the methods; static */
	char detail[ASK_DETAIL_BYTES]; /* of ASK_ERROR: UTF-8 for people */

	struct span method, uri, origin; /* views into input; origin.at == NULL: none */
	struct span *topics;             /* distinct, in request order; views into decoded */
	size_t n_topics;
	struct span *events; /* deliver only these event names; n_events == 0: all */
	size_t n_events;
	bool json;             /* one answer with what was missed, no stream */
	bool cursor_only;      /* the present position alone */
	unsigned wait_seconds; /* of json: how long it may be held while nothing was missed */
	struct span cursor;    /* a valid one (cursor_text.h); at == NULL: none. A view into input
				  or decoded */
	struct span ticket;    /* at == NULL: none. Not checked yet. A view into input or decoded */
	struct http_header *forward; /* headers for the auth call; views into input */
	size_t n_forward;

	char *input;          /* the request's bytes, taken over from the connection */
	char *decoded;        /* topics and event names without their percent-encoding */
	char *shown_uri;      /* uri without its ticket, where tickets are taken; else NULL */
	char *granted_cursor; /* of a ticket; NULL: none */
};

/* Frees everything of it and itself; NULL is fine. */
void ask_free(struct ask *a);

#endif
