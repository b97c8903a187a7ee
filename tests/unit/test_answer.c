/* test_answer: the exact bytes of every answer, and what may never get into one. */
#include "streamer/answer.h"

#include <string.h>

#include "streamer/cors.h"
#include "streamer/frame.h"
#include "tests/unit/run.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
enum { NOW = 784111777 }; /* the example of RFC 9110 section 5.6.7 */

static const struct answer_to plain = {.now = NOW};
static const struct answer_to head = {.now = NOW, .head = true};
static const struct answer_to stream = {.now = NOW, .event_stream = true};
static const struct answer_to stream_head = {.now = NOW, .event_stream = true, .head = true};

static void is(struct frame *f, const char *text)
{
	ck_assert_ptr_nonnull(f);
	ck_assert_msg(f->len == strlen(text) && memcmp(f->bytes, text, f->len) == 0, "%.*s",
		      (int)f->len, f->bytes);
	ck_assert(!f->event);
	frame_unref(f);
}

#define STREAM_HEAD                                                                                \
	"HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n"                                         \
	"Content-Type: text/event-stream; charset=utf-8\r\n"                                       \
	"Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n\r\n"

START_TEST(each_answer_has_the_bytes_that_it_should)
{
	is(answer_stream_head(&plain), STREAM_HEAD);
	is(answer_json(&plain, 200, span_of("{\"a\":1}")),
	   "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\nCache-Control: no-store\r\n"
	   "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}");
	is(answer_error(&plain, 405, span_of("No"), "GET", NULL),
	   "HTTP/1.1 405 Method Not Allowed\r\n" DATE
	   "Connection: close\r\nCache-Control: no-store\r\nAllow: GET\r\n"
	   "Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"detail\":\"No\"}");
	is(answer_error(&plain, 401, span_of("No"), NULL, "Bearer"),
	   "HTTP/1.1 401 Unauthorized\r\n" DATE
	   "Connection: close\r\nCache-Control: no-store\r\nWWW-Authenticate: Bearer\r\n"
	   "Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"detail\":\"No\"}");
	is(answer_text(&plain, "text/plain", span_of("x 1\n")),
	   "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\nCache-Control: no-store\r\n"
	   "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nx 1\n");
	is(answer_preflight(&plain, "GET, POST"),
	   "HTTP/1.1 204 No Content\r\n" DATE "Connection: close\r\nAllow: GET, POST\r\n\r\n");
	is(answer_redirect(&plain, span_of("/ticket?topic=a")),
	   "HTTP/1.1 307 Temporary Redirect\r\n" DATE "Connection: close\r\n"
	   "Cache-Control: no-store\r\nLocation: /ticket?topic=a\r\nContent-Length: 0\r\n\r\n");
	is(answer_continue(), "HTTP/1.1 100 Continue\r\n\r\n");
}
END_TEST

START_TEST(busy_is_a_stream_to_who_takes_one_and_503_to_others)
{
	is(answer_busy(&stream, "Full \"up\"", 5001),
	   STREAM_HEAD "retry: 5001\nevent: sse.busy\ndata: {\"detail\":\"Full \\\"up\\\"\"}\n\n");
	is(answer_busy(&plain, "Full", 5001),
	   "HTTP/1.1 503 Service Unavailable\r\n" DATE
	   "Connection: close\r\nCache-Control: no-store\r\nRetry-After: 6\r\n"
	   "Content-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"detail\":\"Full\"}");
}
END_TEST

START_TEST(retry_after_is_never_earlier_than_retry)
{
	static const struct {
		uint64_t ms;
		const char *line;
	} cases[] = {{1, "Retry-After: 1\r\n"},
		     {1000, "Retry-After: 1\r\n"},
		     {1001, "Retry-After: 2\r\n"},
		     {30000, "Retry-After: 30\r\n"}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct frame *f = answer_busy(&plain, "x", cases[i].ms);
		ck_assert_ptr_nonnull(
			memmem(f->bytes, f->len, cases[i].line, strlen(cases[i].line)));
		frame_unref(f);
	}
}
END_TEST

static size_t head_len(const struct frame *f)
{
	const char *end = memmem(f->bytes, f->len, "\r\n\r\n", 4);
	ck_assert_ptr_nonnull(end);
	return (size_t)(end - f->bytes) + 4;
}

/* RFC 9110 section 9.3.2. */
START_TEST(head_gets_the_same_head_and_no_body)
{
	struct frame *pairs[][2] = {
		{answer_json(&plain, 200, span_of("{}")), answer_json(&head, 200, span_of("{}"))},
		{answer_error(&plain, 404, span_of("x"), NULL, NULL),
		 answer_error(&head, 404, span_of("x"), NULL, NULL)},
		{answer_text(&plain, "a/b", span_of("x")), answer_text(&head, "a/b", span_of("x"))},
		{answer_busy(&plain, "x", 5000), answer_busy(&head, "x", 5000)},
		{answer_busy(&stream, "x", 5000), answer_busy(&stream_head, "x", 5000)},
		{answer_stream_head(&plain), answer_stream_head(&head)},
	};

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		ck_assert_uint_eq(head_len(pairs[i][1]), pairs[i][1]->len);
		ck_assert_uint_eq(head_len(pairs[i][0]), pairs[i][1]->len);
		ck_assert_mem_eq(pairs[i][0]->bytes, pairs[i][1]->bytes, pairs[i][1]->len);
		frame_unref(pairs[i][0]);
		frame_unref(pairs[i][1]);
	}
}
END_TEST

START_TEST(every_status_that_is_ever_said_has_its_words)
{
	static const struct {
		unsigned status;
		const char *line;
	} cases[] = {
		{400, "HTTP/1.1 400 Bad Request\r\n"},
		{403, "HTTP/1.1 403 Forbidden\r\n"},
		{404, "HTTP/1.1 404 Not Found\r\n"},
		{408, "HTTP/1.1 408 Request Timeout\r\n"},
		{411, "HTTP/1.1 411 Length Required\r\n"},
		{413, "HTTP/1.1 413 Content Too Large\r\n"},
		{414, "HTTP/1.1 414 URI Too Long\r\n"},
		{415, "HTTP/1.1 415 Unsupported Media Type\r\n"},
		{431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
		{501, "HTTP/1.1 501 Not Implemented\r\n"},
		{505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct frame *f = answer_error(&plain, cases[i].status, span_of("x"), NULL, NULL);
		ck_assert(memcmp(f->bytes, cases[i].line, strlen(cases[i].line)) == 0);
		frame_unref(f);
	}
}
END_TEST

static size_t count_of(const struct frame *f, const char *text)
{
	size_t n = 0, len = strlen(text);
	for (size_t i = 0; i + len <= f->len; i++)
		n += memcmp(f->bytes + i, text, len) == 0;
	return n;
}

START_TEST(words_from_outside_inject_no_line)
{
	static const char evil[] = "a\r\nSet-Cookie: x\r\n\r\n<b>\nevent: y\n\ndata: z\"\\";
	struct frame *answers[] = {
		answer_error(&plain, 400, span_of(evil), NULL, NULL),
		answer_busy(&plain, evil, 5000),
		answer_busy(&stream, evil, 5000),
	};

	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		ck_assert_uint_eq(count_of(answers[i], "\nSet-Cookie"), 0);
		ck_assert_uint_eq(count_of(answers[i], "\nevent: y"), 0);
		ck_assert_uint_eq(count_of(answers[i], "\r\n\r\n"), 1);
		ck_assert_uint_eq(count_of(answers[i], "a\\r\\nSet-Cookie"), 1);
		frame_unref(answers[i]);
	}
}
END_TEST

static void cors_is(const struct cors *cors, const char *origin, const char *lines)
{
	struct answer_to to = {.now = NOW, .cors = cors, .origin = span_of(origin)};
	char expected[512] = "HTTP/1.1 200 OK\r\n" DATE;

	strcat(expected, lines);
	strcat(expected, "Connection: close\r\nCache-Control: no-store\r\nContent-Type: t\r\n"
			 "Content-Length: 0\r\n\r\n");
	is(answer_text(&to, "t", span_of("")), expected);
}

START_TEST(an_origin_of_the_settings_alone_is_echoed_and_vary_is_always_said)
{
	static const char *const strangers[] = {
		"null",
		"",
		"https://app.example.evil.tld",
		"https://app.exampl",
		"http://app.example",
		"HTTPS://app.example",
		"https://app.example/",
		"https://app.example:443",
		"https://app.example https://b.example",
		"*",
	};
	struct cors c = {0};

	ck_assert_int_eq(cors_add(&c, "https://app.example"), 0);
	ck_assert_int_eq(cors_add(&c, "https://b.example:8443"), 0);
	cors_is(&c, "https://app.example",
		"Vary: Origin\r\nAccess-Control-Allow-Origin: https://app.example\r\n"
		"Access-Control-Allow-Credentials: true\r\n");
	cors_is(&c, "https://b.example:8443",
		"Vary: Origin\r\nAccess-Control-Allow-Origin: https://b.example:8443\r\n"
		"Access-Control-Allow-Credentials: true\r\n");
	for (size_t i = 0; i < COUNT_OF(strangers); i++)
		cors_is(&c, strangers[i], "Vary: Origin\r\n");
	cors_is(&c, NULL, "Vary: Origin\r\n");
	cors_done(&c);
}
END_TEST

START_TEST(everybody_is_allowed_without_credentials_or_nobody)
{
	struct cors any = {0}, none = {0};

	ck_assert_int_eq(cors_add(&any, "*"), 0);
	cors_is(&any, "https://x", "Access-Control-Allow-Origin: *\r\n");
	cors_is(&any, NULL, "Access-Control-Allow-Origin: *\r\n");
	cors_is(&none, "https://x", "");
	cors_is(NULL, "https://x", "");
	cors_done(&any);
}
END_TEST

START_TEST(a_preflight_allows_what_clients_send)
{
	struct cors c = {0};
	struct answer_to to = {.now = NOW, .cors = &c, .origin = span_of("https://x")};

	ck_assert_int_eq(cors_add(&c, "https://x"), 0);
	is(answer_preflight(&to, "GET"),
	   "HTTP/1.1 204 No Content\r\n" DATE
	   "Vary: Origin\r\nAccess-Control-Allow-Origin: https://x\r\n"
	   "Access-Control-Allow-Credentials: true\r\nConnection: close\r\nAllow: GET\r\n"
	   "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
	   "Access-Control-Allow-Headers: Authorization, Content-Type, Last-Event-ID, "
	   "Cache-Control\r\nAccess-Control-Max-Age: 86400\r\n\r\n");
	cors_done(&c);
}
END_TEST

START_TEST(the_date_is_that_of_the_request_in_the_form_of_rfc_9110)
{
	static const struct {
		time_t now;
		const char *line;
	} cases[] = {
		{0, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"},
		{951782399, "Date: Mon, 28 Feb 2000 23:59:59 GMT\r\n"},
		{951782400, "Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n"},
		{4102444799, "Date: Thu, 31 Dec 2099 23:59:59 GMT\r\n"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct answer_to to = {.now = cases[i].now};
		struct frame *f = answer_stream_head(&to);
		ck_assert_uint_eq(count_of(f, cases[i].line), 1);
		frame_unref(f);
	}
}
END_TEST

RUN_TESTS("answer", each_answer_has_the_bytes_that_it_should,
	  busy_is_a_stream_to_who_takes_one_and_503_to_others,
	  retry_after_is_never_earlier_than_retry, head_gets_the_same_head_and_no_body,
	  every_status_that_is_ever_said_has_its_words, words_from_outside_inject_no_line,
	  an_origin_of_the_settings_alone_is_echoed_and_vary_is_always_said,
	  everybody_is_allowed_without_credentials_or_nobody, a_preflight_allows_what_clients_send,
	  the_date_is_that_of_the_request_in_the_form_of_rfc_9110)
