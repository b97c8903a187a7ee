/* http_request: the head of one HTTP/1 request, strictly (RFC 9112): what a front proxy might read
 * otherwise is refused. Views into the caller's bytes; nothing is copied, decoded or allocated. */
#ifndef TIDINGS_STREAMER_HTTP_REQUEST_H
#define TIDINGS_STREAMER_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

#define HTTP_HEAD_MAX_BYTES 8192
#define HTTP_MAX_HEADERS    100

struct http_header {
	struct span name, value; /* value without the white space around it */
};

struct http_request {
	struct span method;
	struct span target; /* as it came: path and query */
	struct span path;   /* target up to `?` */
	struct span query;  /* behind `?`; at == NULL: none */
	unsigned minor;     /* HTTP/1.minor, 0 or 1 */
	struct http_header headers[HTTP_MAX_HEADERS];
	size_t n_headers;
	bool has_content_length;
	uint64_t content_length;
	size_t head_len; /* bytes of the head with its empty line */
};

enum http_parse {
	HTTP_DONE, /* *r is filled */
	HTTP_MORE, /* so far so good */
	HTTP_BAD,  /* error->status and ->detail say what to answer; close after it */
};

struct http_error {
	unsigned status;    /* 400, 411, 413, 414, 431, 501, 505 */
	const char *detail; /* static */
};

/* Reads the head at the start of bytes. Its rules, each 400: every line ends in CRLF and no CR or
 * LF stands elsewhere; no control character but HTAB in values (RFC 9112 2.2, 5.5); no line begins
 * with white space (5.2); a name is a token with its colon right behind (5.1); the request line is
 * METHOD SP TARGET SP HTTP/1.x (3); the target begins with `/`, is ASCII and has no `#`; Host once
 * in HTTP/1.1, at most once in 1.0 (3.2); Content-Length at most once, digits only;
 * Transfer-Encoding never (6.1). The verdict does not depend on how the bytes were cut. */
enum http_parse http_request_parse(const char *bytes, size_t len, struct http_request *r,
				   struct http_error *error);

/* What body belongs to the head: *length bytes. A POST needs a Content-Length (411 without) of at
 * most max (413); every other method none at all (413). Returns HTTP_DONE or HTTP_BAD. */
enum http_parse http_request_body(const struct http_request *r, uint64_t max, size_t *length,
				  struct http_error *error);

/* The value of the first header of that name (case-insensitive); at == NULL when there is none. */
struct span http_request_header(const struct http_request *r, const char *name);

/* How many headers have that name. */
size_t http_request_count(const struct http_request *r, const char *name);

/* True when a and b are equal but for ASCII case. */
bool http_name_equal(struct span a, struct span b);

#endif
