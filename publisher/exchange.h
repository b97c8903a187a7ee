/* exchange: one request and its answer over whatever the web server speaks: three functions to read
 * parameters and body and to write the answer. FastCGI, plain CGI and the tests each bring theirs.
 */
#ifndef TIDINGS_PUBLISHER_EXCHANGE_H
#define TIDINGS_PUBLISHER_EXCHANGE_H

#include <stddef.h>

struct access_tokens;
struct handle_config;
struct publish_log;

struct exchange {
	void *ctx;

	/* A parameter of the request, NULL when there is none; good until the request's end. */
	const char *(*param)(void *ctx, const char *name);
	/* Some bytes of the body: how many, 0 at its end, negative when the web server is gone. */
	long (*read)(void *ctx, char *bytes, size_t size);
	/* Returns 0, negative when the web server is gone. */
	int (*write)(void *ctx, const char *bytes, size_t len);
};

/* Serves the request. tokens: NULL unless config asks for them. Returns 0, or -EPIPE when the
 * answer could not be given. */
int exchange_serve(const struct exchange *x, const struct handle_config *config,
		   const struct access_tokens *tokens, const struct publish_log *log);

#endif
