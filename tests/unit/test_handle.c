/* test_handle: from a request to the log and to its answer. */
#include "publisher/handle.h"

#include <stdio.h>

#include "tests/unit/publish_case.h"
#include "tests/unit/run.h"

START_TEST(an_event_goes_to_the_log_and_its_id_comes_back)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_NONE);
	ck_assert_uint_eq(
		case_post(
			&c, JSON,
			"{\"topics\":[\"a\",\"b\"],\"event\":\"x\",\"data\":[1.0],\"key\":\"k\"}"),
		200);
	ck_assert(case_says(&c, "\r\n\r\n{\"id\":\"100-0\"}"));
	ck_assert_str_eq(c.memory.messages,
			 "{\"event\":\"x\",\"data\":[1.0],\"id\":\"ID\",\"prev\":\"PREV\","
			 "\"topics\":[\"a\",\"b\"],\"key\":\"k\"} -> a b\n");
	ck_assert_uint_eq(c.memory.appends, 1);
	ck_assert_str_eq(c.memory.key, "");
	case_end(&c);
}
END_TEST

START_TEST(a_batch_goes_to_the_log_in_one_call)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_NONE);
	ck_assert_uint_eq(case_post(&c, JSON, "[{\"topic\":\"a\"},{\"topic\":\"b\",\"data\":1}]"),
			  200);
	ck_assert(case_says(&c, "\r\n\r\n{\"ids\":[\"100-0\",\"100-1\"]}"));
	ck_assert_str_eq(
		c.memory.messages,
		"{\"event\":\"message\",\"data\":{},\"id\":\"ID\",\"prev\":\"PREV\"} -> a\n"
		"{\"event\":\"message\",\"data\":1,\"id\":\"ID\",\"prev\":\"PREV\"} -> b\n");
	ck_assert_uint_eq(c.memory.appends, 1);
	case_end(&c);
}
END_TEST

START_TEST(parts_of_many_events_stay_right_while_memory_moves)
{
	char *body = malloc(64 * 1024), *at = body;
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_NONE);
	c.config.max_body = 64 * 1024;
	at += snprintf(at, 16, "[");
	for (int i = 0; i < 9; i++) {
		at += snprintf(at, 64, "%s{\"topic\":\"t%d\",\"data\":\"", i ? "," : "", i);
		memset(at, 'a' + i, 800);
		at += 800;
		at += snprintf(at, 16, "\"}");
	}
	snprintf(at, 16, "]");
	ck_assert_uint_eq(case_post(&c, JSON, body), 200);
	ck_assert_uint_eq(c.memory.n_events, 9);
	at = c.memory.messages;
	for (int i = 0; i < 9; i++) {
		char tail[64];

		ck_assert_int_eq(strncmp(at, "{\"event\":\"message\",\"data\":\"", 27), 0);
		for (int k = 0; k < 800; k++)
			ck_assert_int_eq(at[27 + k], 'a' + i);
		snprintf(tail, sizeof(tail), "\",\"id\":\"ID\",\"prev\":\"PREV\"} -> t%d\n", i);
		ck_assert_int_eq(strncmp(at + 827, tail, strlen(tail)), 0);
		at += 827 + strlen(tail);
	}
	free(body);
	case_end(&c);
}
END_TEST

START_TEST(nothing_is_published_when_one_of_many_is_wrong)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_NONE);
	ck_assert_uint_eq(case_post(&c, JSON, "[{\"topic\":\"a\"},{\"topic\":\"b c\"}]"), 422);
	ck_assert(case_says(&c, "\"field\":\"events[1].topic\""));
	ck_assert_uint_eq(c.memory.appends, 0);
	case_end(&c);
}
END_TEST

START_TEST(an_event_beyond_max_message_size_is_413)
{
	char body[2048], expected[64];
	unsigned fits = 0;

	for (size_t len = 900; len <= 1024; len++) {
		struct publish_case c;
		int n = snprintf(body, sizeof(body),
				 "[{\"topic\":\"a\"},{\"topic\":\"a\",\"data\":\"");

		case_begin(&c, HANDLE_AUTH_NONE);
		memset(body + n, 'x', len);
		snprintf(body + n + len, sizeof(body) - (size_t)n - len, "\"}]");
		unsigned status = case_post(&c, JSON, body);
		snprintf(expected, sizeof(expected), "\"field\":\"events[1].data\"");
		ck_assert(status == 200 || (status == 413 && case_says(&c, expected)));
		ck_assert_uint_eq(c.memory.appends, status == 200);
		/* the message around the data, its ids at their longest */
		fits += status == 200;
		ck_assert_uint_eq(
			status, len +
							strlen("{\"event\":\"message\",\"data\":"
							       "\"\",\"id\":\"\",\"prev\":\"\"}") +
							2 * EVENT_ID_MAX_BYTES <=
						MAX_MESSAGE
					? 200
					: 413);
		case_end(&c);
	}
	ck_assert_uint_gt(fits, 0);
	ck_assert_uint_lt(fits, 125);
}
END_TEST

START_TEST(what_the_log_says_becomes_the_answer)
{
	static const struct {
		enum publish_log_outcome outcome;
		unsigned status;
		const char *says;
	} cases[] = {
		{PUBLISH_LOG_DONE, 200, "\"id\""},
		{PUBLISH_LOG_MISMATCH, 422, "\"field\":\"Idempotency-Key\""},
		{PUBLISH_LOG_LIMITED, 429, "rate_limit_per_second"},
		{PUBLISH_LOG_REFUSED, 503, "not published: Redis is on holiday"},
		{PUBLISH_LOG_UNKNOWN, 503,
		 "Redis is on holiday; whether it was published is not known"},
		{PUBLISH_LOG_PARTLY, 503,
		 "published in some of its partitions, in others perhaps not: Redis is on holiday"},
		{PUBLISH_LOG_UNSAFE, 503, "published, and not safe yet: Redis is on holiday"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct publish_case c;

		case_begin(&c, HANDLE_AUTH_NONE);
		c.memory.outcome = cases[i].outcome;
		ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}"), cases[i].status);
		ck_assert_msg(case_says(&c, cases[i].says), "%s", c.server.answer.data);
		ck_assert_int_eq(case_says(&c, "\r\nRetry-After: "),
				 cases[i].status == 503 || cases[i].status == 429);
		case_end(&c);
	}
}
END_TEST

START_TEST(only_post_publishes)
{
	static const struct {
		const char *method;
		unsigned status;
		const char *allow;
	} cases[] = {
		{"GET", 405, "\r\nAllow: POST\r\n"},
		{"PUT", 405, "\r\nAllow: POST\r\n"},
		{"post", 405, "\r\nAllow: POST\r\n"},
		{"", 405, "\r\nAllow: POST\r\n"},
		{NULL, 405, "\r\nAllow: POST\r\n"},
		{"HEAD", 405, "\r\nAllow: POST\r\n"},
		{"OPTIONS", 204, "\r\nAllow: POST, OPTIONS\r\n"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct publish_case c;
		size_t len;

		case_begin(&c, HANDLE_AUTH_TOKEN);
		case_give(&c, "REQUEST_METHOD", cases[i].method);
		case_give(&c, "CONTENT_TYPE", JSON);
		ck_assert_uint_eq(case_serve(&c), cases[i].status);
		ck_assert(case_says(&c, cases[i].allow));
		len = c.server.answer.len;
		bool empty = strcmp(c.server.answer.data + len - 4, "\r\n\r\n") == 0;
		ck_assert_int_eq(empty, cases[i].method && (strcmp(cases[i].method, "HEAD") == 0 ||
							    cases[i].status == 204));
		ck_assert_uint_eq(c.memory.appends, 0);
		case_end(&c);
	}
}
END_TEST

START_TEST(health_is_asked_of_the_log_and_needs_no_token)
{
	static const struct {
		const char *method, *script_name, *path_info, *ill;
		unsigned status;
	} cases[] = {
		{"GET", "/publish", "/health", NULL, 200},
		{"HEAD", "/publish", "/health", NULL, 200},
		{"GET", "/publish/health", NULL, NULL, 200},
		{"GET", "/publish/health", "", NULL, 200},
		{"GET", "/publish", "/health", "Redis is on holiday", 503},
		{"GET", "/health", "/publish", NULL, 405},
		{"GET", "/publish", "/healthy", NULL, 405},
		{"GET", "/publish", "/xhealth", NULL, 405},
		{"GET", "/publish", "health", NULL, 405},
		{"OPTIONS", "/publish", "/health", NULL, 204},
		{"POST", "/publish", "/health", NULL, 405},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct publish_case c;

		case_begin(&c, HANDLE_AUTH_TOKEN);
		c.memory.ill = cases[i].ill;
		case_give(&c, "REQUEST_METHOD", cases[i].method);
		case_give(&c, "SCRIPT_NAME", cases[i].script_name);
		case_give(&c, "PATH_INFO", cases[i].path_info);
		ck_assert_msg(case_serve(&c) == cases[i].status, "case %zu: %s", i,
			      c.server.answer.data);
		ck_assert_uint_eq(c.memory.pings, cases[i].status == 200 || cases[i].status == 503);
		ck_assert_int_eq(case_says(&c, "{\"status\":\"healthy\"}"),
				 cases[i].status == 200 && strcmp(cases[i].method, "GET") == 0);
		ck_assert(!cases[i].ill ||
			  (case_says(&c, cases[i].ill) && case_says(&c, "Retry-After")));
		ck_assert(strcmp(cases[i].method, "POST") != 0 ||
			  case_says(&c, "\r\nAllow: GET, HEAD\r\n"));
		case_end(&c);
	}
}
END_TEST

RUN_TESTS("handle", an_event_goes_to_the_log_and_its_id_comes_back,
	  a_batch_goes_to_the_log_in_one_call, parts_of_many_events_stay_right_while_memory_moves,
	  nothing_is_published_when_one_of_many_is_wrong, an_event_beyond_max_message_size_is_413,
	  what_the_log_says_becomes_the_answer, only_post_publishes,
	  health_is_asked_of_the_log_and_needs_no_token)
