/* test_http_request: one verdict on a head, whole or in pieces. The tables of bad requests are in
 * the end-to-end tests (test_stream_answers.py); here stands what needs no socket: every cut of
 * every input, and the views. */
#include "streamer/http_request.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"

static const struct {
	const char *bytes;
	unsigned status; /* 0: fine */
} heads[] = {
	{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"GET / HTTP/1.0\r\n\r\n", 0},
	{"GET /e?topic=a,b HTTP/1.1\r\nHost: [::1]:80\r\nA:\r\nB:\t v \t\r\n\r\n", 0},
	{"POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n", 0},
	{"!#$%&'*+-.^_`|~ /x HTTP/1.1\r\nHost: x\r\n\r\n", 0},
	{"GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nA: \xc3\xa4\r\n\r\n", 0}, /* obs-text (RFC 9110 5.5) */
	{"GET / HTTP/1.1\nHost: x\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\n\r\n", 400},
	{"GET / HTTP/1.1\rHost: x\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\n\rX", 400},
	{"GET / HTTP/1.1\r\nX: \rTransfer-Encoding: chunked\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\n\tfolded\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHo\x7fst: x\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nA: \x1f\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\n: v\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nnocolon\r\n\r\n", 400},
	{"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
	{"GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{" GET / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
	{"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
	{"GET / HTTP/11\r\nHost: x\r\n\r\n", 400},
	{"GET / http/1.1\r\nHost: x\r\n\r\n", 400},
	{"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", 501},
	{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\n",
	 400},
};

static unsigned verdict(const char *bytes, size_t len)
{
	struct http_request r;
	struct http_error error = {0, NULL};

	switch (http_request_parse(bytes, len, &r, &error)) {
	case HTTP_DONE: return 0;
	case HTTP_MORE: return 1;
	case HTTP_BAD: break;
	}
	ck_assert_ptr_nonnull(error.detail);
	return error.status;
}

START_TEST(each_head_gets_its_verdict)
{
	for (size_t i = 0; i < COUNT_OF(heads); i++)
		ck_assert_msg(verdict(heads[i].bytes, strlen(heads[i].bytes)) == heads[i].status,
			      "%s: %u", heads[i].bytes,
			      verdict(heads[i].bytes, strlen(heads[i].bytes)));
}
END_TEST

START_TEST(a_beginning_is_never_judged_otherwise_than_the_whole)
{
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		size_t len = strlen(heads[i].bytes);
		for (size_t cut = 0; cut < len; cut++) {
			unsigned early = verdict(heads[i].bytes, cut);
			ASSERT_QUIETLY(early == 1 || early == heads[i].status);
		}
	}
}
END_TEST

START_TEST(nul_is_refused_wherever_it_stands)
{
	static const char head[] = "GET /x HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n";

	for (size_t at = 0; at < sizeof(head) - 5; at++) {
		char bytes[sizeof(head)];
		memcpy(bytes, head, sizeof(head));
		bytes[at] = '\0';
		ASSERT_QUIETLY(verdict(bytes, sizeof(head) - 1) == 400);
	}
}
END_TEST

START_TEST(the_views_stand_where_the_bytes_are_and_what_follows_is_not_read)
{
	static const char head[] =
		"GET /e/v?topic=a&b HTTP/1.1\r\nHost: x\r\nAccept:  text/html \r\n\r\nGET /next";
	struct http_request r;
	struct http_error error;

	ck_assert_int_eq(http_request_parse(head, sizeof(head) - 1, &r, &error), HTTP_DONE);
	ck_assert(span_is(r.method, "GET"));
	ck_assert(span_is(r.target, "/e/v?topic=a&b"));
	ck_assert(span_is(r.path, "/e/v"));
	ck_assert(span_is(r.query, "topic=a&b"));
	ck_assert_uint_eq(r.minor, 1);
	ck_assert(span_is(http_request_header(&r, "aCCEPT"), "text/html"));
	ck_assert_ptr_null(http_request_header(&r, "Accep").at);
	ck_assert_uint_eq(r.head_len, sizeof(head) - 1 - strlen("GET /next"));
}
END_TEST

START_TEST(a_path_without_a_question_mark_has_no_query_and_one_with_it_may_have_an_empty_one)
{
	struct http_request r;
	struct http_error error;

	http_request_parse("GET / HTTP/1.0\r\n\r\n", 18, &r, &error);
	ck_assert_ptr_null(r.query.at);
	http_request_parse("GET /? HTTP/1.0\r\n\r\n", 19, &r, &error);
	ck_assert_ptr_nonnull(r.query.at);
	ck_assert_uint_eq(r.query.len, 0);
}
END_TEST

START_TEST(a_head_of_8_kib_fits_and_one_byte_more_does_not)
{
	static char bytes[HTTP_HEAD_MAX_BYTES + 64];
	const char *begin = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
	size_t at = strlen(begin);

	memset(bytes, 'v', sizeof(bytes));
	memcpy(bytes, begin, at);
	memcpy(bytes + HTTP_HEAD_MAX_BYTES - 4, "\r\n\r\n", 4);
	ck_assert_uint_eq(verdict(bytes, HTTP_HEAD_MAX_BYTES), 0);
	ck_assert_uint_eq(verdict(bytes, HTTP_HEAD_MAX_BYTES - 1), 1);
	memset(bytes + HTTP_HEAD_MAX_BYTES - 4, 'v', 4);
	memcpy(bytes + HTTP_HEAD_MAX_BYTES - 3, "\r\n\r\n", 4);
	ck_assert_uint_eq(verdict(bytes, HTTP_HEAD_MAX_BYTES + 1), 431);
	memset(bytes, 'v', sizeof(bytes));
	ck_assert_uint_eq(verdict(bytes, HTTP_HEAD_MAX_BYTES - 1), 1);
	ck_assert_uint_eq(verdict(bytes, HTTP_HEAD_MAX_BYTES), 414);
}
END_TEST

START_TEST(more_headers_than_there_is_room_for_are_refused)
{
	static char bytes[4096];
	size_t len = (size_t)sprintf(bytes, "GET / HTTP/1.1\r\nHost: x\r\n");

	for (int i = 1; i < HTTP_MAX_HEADERS; i++)
		len += (size_t)sprintf(bytes + len, "A: %d\r\n", i);
	sprintf(bytes + len, "\r\n");
	ck_assert_uint_eq(verdict(bytes, len + 2), 0);
	sprintf(bytes + len, "A: 1\r\n\r\n");
	ck_assert_uint_eq(verdict(bytes, len + 8), 431);
}
END_TEST

START_TEST(only_a_post_has_a_body_and_it_says_how_long)
{
	static const struct {
		const char *head;
		unsigned status;
		size_t length;
	} cases[] = {
		{"GET / HTTP/1.0\r\n\r\n", 0, 0},
		{"GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", 0, 0},
		{"GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n", 413, 0},
		{"POST / HTTP/1.0\r\n\r\n", 411, 0},
		{"POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\n", 0, 10},
		{"POST / HTTP/1.0\r\nContent-Length: 11\r\n\r\n", 413, 0},
		{"POST / HTTP/1.0\r\nContent-Length: 18446744073709551615\r\n\r\n", 413, 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct http_request r;
		struct http_error error = {0, NULL};
		size_t length = 0;
		ck_assert_int_eq(
			http_request_parse(cases[i].head, strlen(cases[i].head), &r, &error),
			HTTP_DONE);
		enum http_parse state = http_request_body(&r, 10, &length, &error);
		ck_assert_int_eq(state, cases[i].status ? HTTP_BAD : HTTP_DONE);
		ck_assert_uint_eq(error.status, cases[i].status);
		ck_assert_uint_eq(length, cases[i].length);
	}
}
END_TEST

RUN_TESTS("http_request", each_head_gets_its_verdict,
	  a_beginning_is_never_judged_otherwise_than_the_whole, nul_is_refused_wherever_it_stands,
	  the_views_stand_where_the_bytes_are_and_what_follows_is_not_read,
	  a_path_without_a_question_mark_has_no_query_and_one_with_it_may_have_an_empty_one,
	  a_head_of_8_kib_fits_and_one_byte_more_does_not,
	  more_headers_than_there_is_room_for_are_refused,
	  only_a_post_has_a_body_and_it_says_how_long)
