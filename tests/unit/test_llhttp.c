/* test_llhttp: a request that we accept is read by another parser in the same way: method, target,
 * headers and the end of the head. Where two parsers differ, requests get smuggled between them.
 * (What we refuse it may well accept.) Heads are the corpus of fuzz_http_request, and a table whose
 * every byte is changed, doubled and left out. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "streamer/http_request.h"
#include "tests/unit/run.h"

#ifdef HAVE_LLHTTP
#include <llhttp/llhttp.h>

/* What llhttp said, as it came. */
struct reading {
	struct buf target, names[HTTP_MAX_HEADERS + 1], values[HTTP_MAX_HEADERS + 1];
	size_t n;
	bool in_value, complete;
};

static int add(struct buf *b, const char *at, size_t len)
{
	return buf_append(b, at, len) == 0 ? 0 : -1;
}

static int on_target(llhttp_t *p, const char *at, size_t len)
{
	struct reading *r = p->data;
	return add(&r->target, at, len);
}

static int on_name(llhttp_t *p, const char *at, size_t len)
{
	struct reading *r = p->data;
	if (r->in_value) {
		r->in_value = false;
		r->n++;
	}
	return r->n < HTTP_MAX_HEADERS ? add(&r->names[r->n], at, len) : -1;
}

static int on_value(llhttp_t *p, const char *at, size_t len)
{
	struct reading *r = p->data;
	return add(&r->values[r->n], at, len);
}

static int on_value_end(llhttp_t *p)
{
	struct reading *r = p->data;
	r->in_value = true;
	return 0;
}

static int on_head_end(llhttp_t *p)
{
	struct reading *r = p->data;
	r->n += r->in_value;
	r->complete = true;
	return HPE_PAUSED;
}

static void reading_init(struct reading *r)
{
	r->n = 0;
	r->in_value = r->complete = false;
	buf_init(&r->target, HTTP_HEAD_MAX_BYTES);
	for (size_t i = 0; i <= HTTP_MAX_HEADERS; i++) {
		buf_init(&r->names[i], HTTP_HEAD_MAX_BYTES);
		buf_init(&r->values[i], HTTP_HEAD_MAX_BYTES);
	}
}

static void reading_done(struct reading *r)
{
	buf_done(&r->target);
	for (size_t i = 0; i <= HTTP_MAX_HEADERS; i++) {
		buf_done(&r->names[i]);
		buf_done(&r->values[i]);
	}
}

/* llhttp leaves the white space behind a value to its user. */
static bool same_value(const struct buf *b, struct span value)
{
	size_t len = b->len;
	while (len > 0 && (b->data[len - 1] == ' ' || b->data[len - 1] == '\t'))
		len--;
	return len == value.len && (len == 0 || memcmp(b->data, value.at, len) == 0);
}

static bool same(const struct reading *theirs, const struct http_request *ours)
{
	if (!theirs->complete || !same_value(&theirs->target, ours->target) ||
	    theirs->n != ours->n_headers)
		return false;
	for (size_t i = 0; i < theirs->n; i++)
		if (!same_value(&theirs->names[i], ours->headers[i].name) ||
		    !same_value(&theirs->values[i], ours->headers[i].value))
			return false;
	return true;
}

/* Methods that nothing is served for get the same 501 whatever their head says. */
static bool is_served(struct span method)
{
	return span_is(method, "GET") || span_is(method, "HEAD") || span_is(method, "POST") ||
	       span_is(method, "OPTIONS");
}

/* White space behind a value may be HTAB (RFC 9110 section 5.5); llhttp refuses it behind a length.
 */
static bool tab_behind_length(const struct http_request *r)
{
	struct span length = http_request_header(r, "Content-Length");
	const char *end = length.at ? length.at + length.len : "";

	return end[strspn(end, " ")] == '\t';
}

static bool reads_alike(const char *bytes, const struct http_request *ours)
{
	llhttp_settings_t settings;
	struct reading theirs;
	llhttp_t parser;

	reading_init(&theirs);
	llhttp_settings_init(&settings);
	settings.on_url = on_target;
	settings.on_header_field = on_name;
	settings.on_header_value = on_value;
	settings.on_header_value_complete = on_value_end;
	settings.on_headers_complete = on_head_end;
	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = &theirs;
	llhttp_execute(&parser, bytes, ours->head_len);
	bool alike = same(&theirs, ours) && parser.http_major == 1 &&
		     parser.http_minor == ours->minor &&
		     span_is(ours->method, llhttp_method_name((llhttp_method_t)parser.method)) &&
		     (!ours->has_content_length || parser.content_length == ours->content_length);
	reading_done(&theirs);
	return alike;
}

/* Returns whether we accept it. */
static bool check(const char *bytes, size_t len)
{
	struct http_request ours;
	struct http_error error;

	if (http_request_parse(bytes, len, &ours, &error) != HTTP_DONE || !is_served(ours.method) ||
	    tab_behind_length(&ours))
		return false;
	if (!reads_alike(bytes, &ours))
		ck_abort_msg("read otherwise: %.*s", (int)ours.head_len, bytes);
	return true;
}

START_TEST(each_accepted_head_of_the_corpus_is_read_alike)
{
	char path[1024], bytes[16384];
	struct dirent *entry;
	size_t accepted = 0;

	const char *top = getenv("top_srcdir");
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/http_request", top ? top : ".");
	DIR *folder = opendir(path);
	ck_assert_ptr_nonnull(folder);
	size_t stem = strlen(path);
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path + stem, sizeof(path) - stem, "/%s", entry->d_name);
		FILE *file = fopen(path, "rb");
		ck_assert_ptr_nonnull(file);
		size_t len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
		if (len > 2) /* two bytes say where the fuzzer cuts */
			accepted += check(bytes + 2, len - 2);
	}
	closedir(folder);
	ck_assert_uint_ge(accepted, 3);
}
END_TEST

static const char *const heads[] = {
	"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /e?topic=a,b&x=%20 HTTP/1.0\r\nA:\r\nB: \t v w \t\r\nC:z\r\n\r\n",
	"POST /e HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 12\r\n\r\n",
	"POST /e HTTP/1.1\r\nContent-Length:0\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
	"OPTIONS /e HTTP/1.1\r\nhost:x\r\nOrigin: https://x\r\nX: \xc3\xa4\xff\r\n\r\n",
	"HEAD /;a=b//?? HTTP/1.1\r\nHost: x\r\n!#$%&'*+-.^_`|~: y\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
	"websocket\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 007\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nProxy-Connection: close\r\nKeep-Alive: 5\r\nCookie: "
	"a=\"b\"\r\n\r\n",
};

START_TEST(each_accepted_head_of_the_table_is_read_alike)
{
	for (size_t i = 0; i < COUNT_OF(heads); i++)
		ck_assert_msg(check(heads[i], strlen(heads[i])), "not accepted: %s", heads[i]);
}
END_TEST

START_TEST(a_head_with_any_byte_changed_is_refused_or_read_alike)
{
	size_t accepted = 0;

	for (size_t i = 0; i < COUNT_OF(heads); i++)
		for (size_t at = 0; at < strlen(heads[i]); at++)
			for (int c = 0; c < 256; c++) {
				char bytes[256];
				size_t len = strlen(heads[i]);
				memcpy(bytes, heads[i], len);
				bytes[at] = (char)c;
				accepted += check(bytes, len);
			}
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

START_TEST(a_head_with_any_byte_put_in_or_left_out_is_refused_or_read_alike)
{
	static const char put_in[] = "\r\n\t :,;\0\x01\x7f\x80/#aA0";
	size_t accepted = 0;

	for (size_t i = 0; i < COUNT_OF(heads); i++)
		for (size_t at = 0; at < strlen(heads[i]); at++) {
			char bytes[256];
			size_t len = strlen(heads[i]);
			memcpy(bytes, heads[i], at);
			memcpy(bytes + at, heads[i] + at + 1, len - at - 1);
			accepted += check(bytes, len - 1);
			memcpy(bytes + at + 1, heads[i] + at, len - at);
			for (size_t c = 0; c < sizeof(put_in) - 1; c++) {
				bytes[at] = put_in[c];
				accepted += check(bytes, len + 1);
			}
		}
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

RUN_TESTS("llhttp", each_accepted_head_of_the_corpus_is_read_alike,
	  each_accepted_head_of_the_table_is_read_alike,
	  a_head_with_any_byte_changed_is_refused_or_read_alike,
	  a_head_with_any_byte_put_in_or_left_out_is_refused_or_read_alike)

#else

int main(void)
{
	enum { SKIPPED = 77 };
	return SKIPPED;
}

#endif
