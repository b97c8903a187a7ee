/* handle: the transaction: from a request to what is published, or told to streamers, and answered.
 * No I/O of its own: the log behind it does that. A request is handled in two steps, so that what
 * can be refused is refused before its body is read. */
#ifndef TIDINGS_PUBLISHER_HANDLE_H
#define TIDINGS_PUBLISHER_HANDLE_H

#include <stddef.h>
#include "publisher/decode.h"

struct access_token;
struct access_tokens;
struct publish_log;
struct request;
struct response;

enum handle_auth { HANDLE_AUTH_TOKEN, HANDLE_AUTH_REMOTE_USER, HANDLE_AUTH_NONE };

struct handle_config {
	enum handle_auth auth;
	size_t max_body;    /* bytes */
	size_t max_message; /* bytes */
};

/* What the first step found out for the second; borrows from the request and the tokens. */
struct handle_step {
	bool control; /* it is a control message; else events */
	struct decode_media media;
	const struct access_token *token; /* with HANDLE_AUTH_TOKEN; has the right to control,
					     when it is to */
	const char *who;                  /* name of the token, REMOTE_USER, or "" */
	bool length_known;
	size_t length; /* bytes of the body, at most max_body */
};

/* Returns 0 when the body is to be read and given to handle_body; -1 when all is said in r
 * (refusals, OPTIONS, the health check). tokens: NULL unless auth is HANDLE_AUTH_TOKEN. */
int handle_begin(const struct handle_config *config, const struct access_tokens *tokens,
		 const struct publish_log *log, const struct request *request,
		 struct handle_step *step, struct response *r);

/* Says that the body is larger than max_body. */
void handle_too_large(const struct handle_config *config, struct response *r);

/* request->body holds the whole body now. The answer is in r. */
void handle_body(const struct handle_config *config, const struct publish_log *log,
		 const struct request *request, const struct handle_step *step, struct response *r);

#endif
