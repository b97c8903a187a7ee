/* publish_case: a request and its answer for the tests of handle and exchange: a web server made of
 * words before them, a log that only remembers behind them. */
#ifndef TIDINGS_TESTS_UNIT_PUBLISH_CASE_H
#define TIDINGS_TESTS_UNIT_PUBLISH_CASE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "publisher/exchange.h"
#include "publisher/handle.h"
#include "publisher/log.h"

struct access_tokens;

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

enum { MAX_PARAMS = 8, MAX_BODY = 4096, MAX_MESSAGE = 1024 };

/* What the log was told, and what it is to answer. */
struct memory {
	enum publish_log_outcome outcome;
	const char *ill; /* answer of ping */
	unsigned appends, controls, pings;
	size_t n_events;
	char messages[8192]; /* of the last append: `headIDmiddlePREVtail -> topics` and a line end
				each; or the last control message, as JSON */
	char key[128], digest[128];
};

struct server {
	const char *params[MAX_PARAMS][2];
	const char *body;
	size_t body_len, piece; /* most bytes that one read gives; 0: any */
	size_t taken;           /* of the body */
	size_t breaks_at;       /* a read from here on fails; 0: none */
	bool gone;              /* nobody takes the answer */
	struct buf answer;
};

struct publish_case {
	struct server server;
	struct memory memory;
	struct handle_config config;
	struct access_tokens
		*tokens; /* `secret` of shop for all topics; `limited` of cron for a and b:*;
			    `bossy` of boss and `warden` of ward the same with +control */
};

void case_begin(struct publish_case *c, enum handle_auth auth);
void case_end(struct publish_case *c);

/* Sets a parameter of the request. */
void case_give(struct publish_case *c, const char *name, const char *value);

/* The two ends of the request, borrowed from c. */
struct exchange case_exchange(struct publish_case *c);
struct publish_log case_log(struct publish_case *c);

/* Serves the request and returns the answer's status. */
unsigned case_serve(struct publish_case *c);
unsigned case_post(struct publish_case *c, const char *type, const char *body);

/* The answer holds this text. */
bool case_says(const struct publish_case *c, const char *text);

#endif
