/* http_request: the parser of one request head. Leaves the body, the meaning of the target and the
 * answer to others (client.c, route.c). Errors are found in the line where they stand, as soon as
 * that line is there: the verdict on a whole head and on the same head byte by byte is one. */
#include "streamer/http_request.h"

#include <strings.h>
#include "common/num.h"

static const struct http_error bad_line = {400, "Malformed request: lines must end with CRLF"};
static const struct http_error bad_control = {400, "Malformed request: control character"};
static const struct http_error bad_request_line = {400, "Malformed request line"};
static const struct http_error bad_target = {400, "Malformed request target"};
static const struct http_error bad_version = {505, "HTTP version not supported"};
static const struct http_error bad_header = {400, "Malformed header"};
static const struct http_error bad_host = {400, "Host must be given once and be a host name"};
static const struct http_error bad_length = {400, "Malformed Content-Length"};
static const struct http_error bad_encoding = {400, "Transfer-Encoding is not accepted"};
static const struct http_error unknown_encoding = {501, "Transfer-Encoding not implemented"};
static const struct http_error long_line = {414, "URI Too Long"};
static const struct http_error long_head = {431, "Request header fields too large"};

static const struct http_error no_length = {411, "POST needs a Content-Length"};
static const struct http_error long_body = {413, "Request body too large"};
static const struct http_error needless_body = {413, "This method takes no request body"};

static enum http_parse bad(struct http_error *out, struct http_error error)
{
	*out = error;
	return HTTP_BAD;
}

static bool token_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!token_char((unsigned char)s.at[i]))
			return false;
	return s.len > 0;
}

bool http_name_equal(struct span a, struct span b)
{
	return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

size_t http_request_count(const struct http_request *r, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n_headers; i++)
		n += http_name_equal(r->headers[i].name, span_of(name));
	return n;
}

struct span http_request_header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (http_name_equal(r->headers[i].name, span_of(name)))
			return r->headers[i].value;
	return (struct span){NULL, 0};
}

/* Finds the next line. HTTP_DONE: *line is without its CRLF and *next stands behind it. Control
 * characters are refused here, also in a line that has not ended yet. */
static enum http_parse next_line(const char *at, const char *end, struct span *line,
				 const char **next, struct http_error *error)
{
	for (const char *p = at; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		if (c == '\r') {
			if (p + 1 == end)
				return HTTP_MORE;
			if (p[1] != '\n')
				return bad(error, bad_line);
			*line = (struct span){at, (size_t)(p - at)};
			*next = p + 2;
			return HTTP_DONE;
		}
		if (c == '\n')
			return bad(error, bad_line);
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return bad(error, bad_control);
	}
	return HTTP_MORE;
}

static bool target_ok(struct span target)
{
	if (target.len == 0 || target.at[0] != '/')
		return false;
	for (size_t i = 0; i < target.len; i++) {
		unsigned char c = (unsigned char)target.at[i];
		if (c <= 0x20 || c > 0x7e || c == '#')
			return false;
	}
	return true;
}

static enum http_parse version(struct span v, unsigned *minor, struct http_error *error)
{
	if (span_is(v, "HTTP/1.1") || span_is(v, "HTTP/1.0")) {
		*minor = v.at[7] == '1';
		return HTTP_DONE;
	}
	bool other = v.len == 8 && memcmp(v.at, "HTTP/", 5) == 0 && v.at[6] == '.' &&
		     v.at[5] >= '0' && v.at[5] <= '9' && v.at[7] >= '0' && v.at[7] <= '9';
	return bad(error, other ? bad_version : bad_request_line);
}

static enum http_parse request_line(struct span line, struct http_request *r,
				    struct http_error *error)
{
	const char *end = line.at + line.len;
	const char *sp1 = memchr(line.at, ' ', line.len);
	const char *sp2 = sp1 ? memchr(sp1 + 1, ' ', (size_t)(end - sp1 - 1)) : NULL;

	if (!sp2)
		return bad(error, bad_request_line);
	r->method = (struct span){line.at, (size_t)(sp1 - line.at)};
	r->target = (struct span){sp1 + 1, (size_t)(sp2 - sp1 - 1)};
	if (!is_token(r->method))
		return bad(error, bad_request_line);
	if (!target_ok(r->target))
		return bad(error, bad_target);

	const char *mark = memchr(r->target.at, '?', r->target.len);
	r->path = r->target;
	r->query = (struct span){NULL, 0};
	if (mark) {
		r->path.len = (size_t)(mark - r->target.at);
		r->query = (struct span){mark + 1, r->target.len - r->path.len - 1};
	}
	return version((struct span){sp2 + 1, (size_t)(end - sp2 - 1)}, &r->minor, error);
}

static enum http_parse header_line(struct span line, struct http_request *r,
				   struct http_error *error)
{
	const char *colon = memchr(line.at, ':', line.len);

	if (!colon)
		return bad(error, bad_header);
	struct span name = {line.at, (size_t)(colon - line.at)};
	if (!is_token(name)) /* also: a folded line, white space before the colon */
		return bad(error, bad_header);
	if (r->n_headers == HTTP_MAX_HEADERS)
		return bad(error, long_head);
	struct span value = {colon + 1, line.len - name.len - 1};
	r->headers[r->n_headers++] = (struct http_header){name, span_trim(value)};
	return HTTP_DONE;
}

static bool host_ok(struct span host)
{
	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.at[i];
		bool alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!alnum && !(c && strchr(".:-_[]", c)))
			return false;
	}
	return host.len > 0;
}

/* RFC 9112 section 6.3 decides the length of a body; we take none of its doubtful cases. */
static enum http_parse framing(struct http_request *r, struct http_error *error)
{
	struct span encoding = http_request_header(r, "Transfer-Encoding");
	if (encoding.at) {
		bool chunked = http_name_equal(encoding, span_of("chunked"));
		return bad(error, chunked || http_request_count(r, "Content-Length")
					  ? bad_encoding
					  : unknown_encoding);
	}
	size_t lengths = http_request_count(r, "Content-Length");
	if (lengths > 1)
		return bad(error, bad_length);
	r->has_content_length = lengths == 1;
	r->content_length = 0;
	if (lengths == 0)
		return HTTP_DONE;
	struct span length = http_request_header(r, "Content-Length");
	if (num_parse_u64(length.at, length.len, 0, UINT64_MAX, &r->content_length) != 0)
		return bad(error, bad_length);
	return HTTP_DONE;
}

static enum http_parse whole_head(struct http_request *r, struct http_error *error)
{
	size_t hosts = http_request_count(r, "Host");
	if (hosts > 1 || (hosts == 0 && r->minor == 1))
		return bad(error, bad_host);
	if (hosts == 1 && !host_ok(http_request_header(r, "Host")))
		return bad(error, bad_host);
	return framing(r, error);
}

enum http_parse http_request_parse(const char *bytes, size_t len, struct http_request *r,
				   struct http_error *error)
{
	const char *end = bytes + (len < HTTP_HEAD_MAX_BYTES ? len : HTTP_HEAD_MAX_BYTES);
	const char *at = bytes;
	struct span line = {NULL, 0};
	enum http_parse state;

	r->n_headers = 0;
	state = next_line(at, end, &line, &at, error);
	if (state == HTTP_MORE && len >= HTTP_HEAD_MAX_BYTES)
		return bad(error, long_line);
	if (state == HTTP_DONE)
		state = request_line(line, r, error);
	while (state == HTTP_DONE) {
		state = next_line(at, end, &line, &at, error);
		if (state == HTTP_MORE && len >= HTTP_HEAD_MAX_BYTES)
			return bad(error, long_head);
		if (state != HTTP_DONE)
			break;
		if (line.len == 0) {
			r->head_len = (size_t)(at - bytes);
			return whole_head(r, error);
		}
		state = header_line(line, r, error);
	}
	return state;
}

enum http_parse http_request_body(const struct http_request *r, uint64_t max, size_t *length,
				  struct http_error *error)
{
	if (!span_is(r->method, "POST")) {
		if (r->content_length > 0)
			return bad(error, needless_body);
	} else if (!r->has_content_length) {
		return bad(error, no_length);
	} else if (r->content_length > max) {
		return bad(error, long_body);
	}
	*length = (size_t)r->content_length;
	return HTTP_DONE;
}
