/* fuzz_http_request: the verdict on a head does not depend on where its bytes were cut, and what is
 * accepted keeps every rule when it is read again by other means. The first two bytes say where to
 * cut. */
#include "streamer/http_request.h"

#include <string.h>
#include <strings.h>

#include "tests/fuzz/fuzz.h"

static bool same_verdict(enum http_parse a, const struct http_error *x, enum http_parse b,
			 const struct http_error *y)
{
	return a == b && (a != HTTP_BAD || (x->status == y->status && x->detail == y->detail));
}

static void check_cut(const char *bytes, size_t len, size_t cut)
{
	struct http_request r;
	struct http_error early = {0, NULL}, late = {0, NULL};
	enum http_parse before = http_request_parse(bytes, cut, &r, &early);
	enum http_parse whole = http_request_parse(bytes, len, &r, &late);

	if (before != HTTP_MORE)
		MUST(same_verdict(before, &early, whole, &late));
	if (whole == HTTP_DONE)
		MUST((before == HTTP_DONE) == (cut >= r.head_len));
}

static bool one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static void check_token(struct span s)
{
	MUST(s.len > 0);
	for (size_t i = 0; i < s.len; i++)
		MUST(s.at[i] > ' ' && s.at[i] < 0x7f && !one_of(s.at[i], "\"(),/:;<=>?@[\\]{}"));
}

/* The head once more: every view stands where its bytes are, and nothing stands between them. */
static void rebuild(const char *bytes, const struct http_request *r)
{
	const char *at = bytes;

	MUST(r->method.at == at && at[r->method.len] == ' ');
	at += r->method.len + 1;
	MUST(r->target.at == at && at[r->target.len] == ' ');
	at += r->target.len + 1;
	MUST(memcmp(at, r->minor ? "HTTP/1.1\r\n" : "HTTP/1.0\r\n", 10) == 0);
	at += 10;
	for (size_t i = 0; i < r->n_headers; i++) {
		struct span name = r->headers[i].name, value = r->headers[i].value;
		MUST(name.at == at && at[name.len] == ':');
		for (at += name.len + 1; at < value.at; at++)
			MUST(one_of(*at, " \t"));
		MUST(value.len == 0 ||
		     (!one_of(value.at[0], " \t") && !one_of(value.at[value.len - 1], " \t")));
		for (at = value.at + value.len; *at != '\r'; at++)
			MUST(one_of(*at, " \t"));
		MUST(at[1] == '\n');
		at += 2;
	}
	MUST(memcmp(at, "\r\n", 2) == 0 && (size_t)(at + 2 - bytes) == r->head_len);
}

static void check_bytes(const char *bytes, const struct http_request *r)
{
	for (size_t i = 0; i < r->head_len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		MUST(c >= 0x20 || c == '\t' || c == '\r' || c == '\n');
		MUST(c != 0x7f);
		if (c == '\r')
			MUST(i + 1 < r->head_len && bytes[i + 1] == '\n');
		if (c == '\n')
			MUST(i > 0 && bytes[i - 1] == '\r');
	}
	MUST(r->target.at[0] == '/' && !memchr(r->target.at, '#', r->target.len));
	for (size_t i = 0; i < r->target.len; i++)
		MUST(r->target.at[i] > ' ' && r->target.at[i] < 0x7f);
}

static void check_headers(const struct http_request *r)
{
	size_t hosts = 0, lengths = 0;

	check_token(r->method);
	for (size_t i = 0; i < r->n_headers; i++) {
		struct span name = r->headers[i].name;
		check_token(name);
		hosts += name.len == 4 && strncasecmp(name.at, "host", 4) == 0;
		lengths += name.len == 14 && strncasecmp(name.at, "content-length", 14) == 0;
		MUST(!(name.len == 17 && strncasecmp(name.at, "transfer-encoding", 17) == 0));
	}
	MUST(hosts == 1 || (hosts == 0 && r->minor == 0));
	MUST(lengths <= 1 && r->has_content_length == (lengths == 1));
	if (lengths == 1) {
		struct span value = http_request_header(r, "content-LENGTH");
		uint64_t n = 0;
		MUST(value.len > 0);
		for (size_t i = 0; i < value.len; i++) {
			MUST(value.at[i] >= '0' && value.at[i] <= '9');
			n = n * 10 + (uint64_t)(value.at[i] - '0');
		}
		MUST(n == r->content_length);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct http_request r;
	struct http_error error = {0, NULL};

	if (len < 2)
		return 0;
	const char *bytes = (const char *)input + 2;
	len -= 2;
	check_cut(bytes, len, (size_t)(input[0] * 256 + input[1]) % (len + 1));
	switch (http_request_parse(bytes, len, &r, &error)) {
	case HTTP_DONE:
		MUST(r.head_len <= len && r.head_len <= HTTP_HEAD_MAX_BYTES);
		MUST(r.n_headers <= HTTP_MAX_HEADERS);
		rebuild(bytes, &r);
		check_bytes(bytes, &r);
		check_headers(&r);
		break;
	case HTTP_MORE: MUST(len < HTTP_HEAD_MAX_BYTES); break;
	case HTTP_BAD: MUST(error.status >= 400 && error.status <= 505 && error.detail); break;
	}
	return 0;
}
