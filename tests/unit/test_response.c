/* test_response: how answers look. */
#include "publisher/response.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/cursor.h"
#include "common/partition.h"
#include "publisher/log.h"

#include "tests/unit/run.h"

/* The whole answer; out[8192]. */
static const char *rendered(const struct response *r, bool with_body, char *out)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(response_render(r, with_body, &b), 0);
	ck_assert_uint_lt(b.len, 8192);
	memcpy(out, b.data, b.len + 1);
	buf_done(&b);
	return out;
}

/* n events, each to the topics `a`, `b`, … of which it has so many. */
static struct publish_log_request request_of(struct publish_log_event *events, size_t n,
					     size_t n_topics)
{
	static const struct span topics[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1},
					     {"f", 1}, {"g", 1}, {"h", 1}, {"i", 1}, {"j", 1}};

	ck_assert_uint_le(n_topics, COUNT_OF(topics));
	for (size_t i = 0; i < n; i++)
		events[i] = (struct publish_log_event){.topics = topics, .n_topics = n_topics};
	return (struct publish_log_request){.events = events, .n = n};
}

START_TEST(one_event_is_answered_with_its_id)
{
	struct response r;
	struct publish_log_event event;
	struct publish_log_request request = request_of(&event, 1, 1);
	struct event_id id = {1764000000000, 3};
	char text[8192];

	response_init(&r);
	response_published(&r, &request, &id, 0, false);
	ck_assert_str_eq(rendered(&r, true, text), "Status: 200 OK\r\n"
						   "Cache-Control: no-store\r\n"
						   "Content-Type: application/json\r\n"
						   "Content-Length: 24\r\n"
						   "\r\n"
						   "{\"id\":\"1764000000000-3\"}");
	response_done(&r);
}
END_TEST

START_TEST(a_batch_is_answered_with_all_ids_also_when_it_holds_one)
{
	struct event_id ids[1000];
	struct publish_log_event events[COUNT_OF(ids)];
	struct publish_log_request request = request_of(events, COUNT_OF(ids), 1);
	struct response r;

	response_init(&r);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		ids[i] = (struct event_id){99999999999999, 999999999};
	request.n = 1;
	response_published(&r, &request, ids, 0, true);
	ck_assert_str_eq(r.body.data, "{\"ids\":[\"99999999999999-999999999\"]}");
	request.n = 2;
	response_published(&r, &request, ids, 0, true);
	ck_assert_str_eq(r.body.data,
			 "{\"ids\":[\"99999999999999-999999999\",\"99999999999999-999999999\"]}");
	request.n = COUNT_OF(ids);
	response_published(&r, &request, ids, 0, true);
	ck_assert_uint_eq(r.status, 200);
	ck_assert_uint_eq(r.body.len, strlen("{\"ids\":[]}") + 27 * COUNT_OF(ids) - 1);
	response_done(&r);
}
END_TEST

START_TEST(on_a_cluster_each_partition_of_an_event_is_told_once)
{
	struct publish_log_event events[2];
	struct publish_log_request request = request_of(events, 2, 3);
	const struct span *topics = events[0].topics;
	unsigned a = partition_of(topics[0], 2), b = partition_of(topics[1], 2);
	struct event_id ids[] = {{1, 0}, {2, 0}, {1, 0}, {3, 0}, {4, 0}, {3, 0}};
	struct response r;
	char expected[256];

	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(a, partition_of(topics[2], 2));
	response_init(&r);
	response_published(&r, &request, ids, 2, true);
	snprintf(expected, sizeof(expected),
		 "{\"ids\":[\"1-0\",\"3-0\"],\"partitions\":[{\"%u\":\"1-0\",\"%u\":\"2-0\"},"
		 "{\"%u\":\"3-0\",\"%u\":\"4-0\"}]}",
		 a, b, a, b);
	ck_assert_str_eq(r.body.data, expected);
	request.n = 1;
	events[0].n_topics = 1;
	response_published(&r, &request, ids + 1, 2, false);
	snprintf(expected, sizeof(expected), "{\"id\":\"2-0\",\"partitions\":{\"%u\":\"2-0\"}}", a);
	ck_assert_str_eq(r.body.data, expected);
	response_done(&r);
}
END_TEST

START_TEST(the_largest_answer_fits)
{
	struct publish_log_event events[1000];
	struct publish_log_request request = request_of(events, COUNT_OF(events), 10);
	static struct event_id ids[10000];
	struct response r;

	for (size_t i = 0; i < COUNT_OF(ids); i++)
		ids[i] = (struct event_id){99999999999999, 1023};
	response_init(&r);
	response_published(&r, &request, ids, 1024, true);
	ck_assert_uint_eq(r.status, 200);
	ck_assert_uint_gt(r.body.len, 10000 * 25);
	response_done(&r);
}
END_TEST

START_TEST(errors_say_detail_and_field_as_json)
{
	struct response r;

	response_init(&r);
	response_error(&r, 422, "events[3].topic", "\"%s\" is\nno topic", "a b");
	ck_assert_str_eq(
		r.body.data,
		"{\"detail\":\"\\\"a b\\\" is\\nno topic\",\"field\":\"events[3].topic\"}");
	response_error(&r, 400, NULL, "unreadable");
	ck_assert_str_eq(r.body.data, "{\"detail\":\"unreadable\"}");
	response_done(&r);
}
END_TEST

START_TEST(a_long_detail_is_cut_between_characters)
{
	char detail[3000];
	struct response r;

	response_init(&r);
	for (size_t shift = 0; shift < 4; shift++) {
		struct json_object *body, *said;

		memset(detail, 'x', sizeof(detail));
		for (size_t i = shift; i + 4 < sizeof(detail); i += 4)
			memcpy(detail + i, "\xf0\x9f\x98\x80", 4);
		detail[sizeof(detail) - 1] = '\0';
		response_error(&r, 400, NULL, "%s", detail);
		body = json_tokener_parse(r.body.data);
		ck_assert_ptr_nonnull(body);
		ck_assert(json_object_object_get_ex(body, "detail", &said));
		size_t len = (size_t)json_object_get_string_len(said);
		ck_assert_uint_gt(len, 1000);
		ck_assert_mem_eq(json_object_get_string(said), detail, len);
		ck_assert_uint_eq((len - shift) % 4, 0);
		json_object_put(body);
	}
	response_done(&r);
}
END_TEST

START_TEST(each_status_brings_the_headers_it_needs)
{
	static const struct {
		unsigned status;
		const char *line, *header;
	} cases[] = {
		{400, "Status: 400 Bad Request\r\n", NULL},
		{401, "Status: 401 Unauthorized\r\n", "\r\nWWW-Authenticate: Bearer\r\n"},
		{403, "Status: 403 Forbidden\r\n", NULL},
		{413, "Status: 413 Content Too Large\r\n", NULL},
		{415, "Status: 415 Unsupported Media Type\r\n", NULL},
		{422, "Status: 422 Unprocessable Content\r\n", NULL},
		{503, "Status: 503 Service Unavailable\r\n", "\r\nRetry-After: 1\r\n"},
	};
	char text[8192];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct response r;

		response_init(&r);
		response_error(&r, cases[i].status, NULL, "d");
		rendered(&r, true, text);
		ck_assert_msg(strstr(text, cases[i].line) == text, "%s", text);
		ck_assert_ptr_nonnull(strstr(text, "\r\nCache-Control: no-store\r\n"));
		ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Type: application/json\r\n"));
		ck_assert(!cases[i].header || strstr(text, cases[i].header));
		ck_assert_int_eq(!strstr(text, "WWW-Authenticate"), cases[i].status != 401);
		ck_assert_int_eq(!strstr(text, "Retry-After"), cases[i].status != 503);
		ck_assert_ptr_null(strstr(text, "Allow"));
		response_done(&r);
	}
}
END_TEST

START_TEST(the_last_thing_said_counts)
{
	struct publish_log_event event;
	struct publish_log_request request = request_of(&event, 1, 1);
	struct event_id id = {1, 0};
	struct response r;
	char text[8192];

	response_init(&r);
	response_error(&r, 401, "x", "no");
	response_method(&r, "POST");
	ck_assert_ptr_nonnull(strstr(rendered(&r, true, text), "\r\nAllow: POST\r\n"));
	ck_assert_uint_eq(r.status, 405);
	response_published(&r, &request, &id, 0, false);
	rendered(&r, true, text);
	ck_assert_ptr_null(strstr(text, "Allow"));
	ck_assert_ptr_null(strstr(text, "WWW-Authenticate"));
	ck_assert_ptr_nonnull(strstr(text, "\r\n\r\n{\"id\":\"1-0\"}"));
	response_done(&r);
}
END_TEST

START_TEST(head_has_the_length_and_no_body)
{
	struct response r;
	char text[8192];

	response_init(&r);
	response_health(&r, NULL);
	rendered(&r, false, text);
	ck_assert_ptr_nonnull(strstr(text, "\r\nContent-Length: 20\r\n"));
	ck_assert_str_eq(text + strlen(text) - 4, "\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(rendered(&r, true, text), "\r\n\r\n{\"status\":\"healthy\"}"));
	response_done(&r);
}
END_TEST

START_TEST(options_has_no_content_at_all)
{
	struct response r;
	char text[8192];

	response_init(&r);
	response_options(&r, "POST, OPTIONS");
	ck_assert_str_eq(rendered(&r, true, text), "Status: 204 No Content\r\n"
						   "Cache-Control: no-store\r\n"
						   "Allow: POST, OPTIONS\r\n"
						   "\r\n");
	response_done(&r);
}
END_TEST

START_TEST(ill_health_says_why)
{
	struct response r;

	response_init(&r);
	response_health(&r, "Redis is away");
	ck_assert_uint_eq(r.status, 503);
	ck_assert_str_eq(r.body.data, "{\"detail\":\"Redis is away\"}");
	response_done(&r);
}
END_TEST

START_TEST(a_limit_says_in_whole_seconds_when_it_is_over)
{
	static const struct {
		uint64_t wait_ms;
		const char *header;
	} cases[] = {
		{0, "\r\nRetry-After: 1\r\n"},    {1, "\r\nRetry-After: 1\r\n"},
		{999, "\r\nRetry-After: 1\r\n"},  {1000, "\r\nRetry-After: 1\r\n"},
		{1001, "\r\nRetry-After: 2\r\n"}, {59000, "\r\nRetry-After: 59\r\n"},
	};
	char text[8192];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct response r;

		response_init(&r);
		response_limited(&r, cases[i].wait_ms);
		rendered(&r, true, text);
		ck_assert_msg(strstr(text, "Status: 429 Too Many Requests\r\n") == text, "%s",
			      text);
		ck_assert_msg(strstr(text, cases[i].header) != NULL, "%s", text);
		response_done(&r);
	}
}
END_TEST

START_TEST(too_little_room_is_told)
{
	struct response r;
	struct buf b;
	char text[8192];

	response_init(&r);
	response_health(&r, NULL);
	rendered(&r, true, text);
	for (size_t max = 0; max < strlen(text); max++) {
		buf_init(&b, max);
		ck_assert_int_eq(response_render(&r, true, &b), -ENOBUFS);
		buf_done(&b);
	}
	response_done(&r);
}
END_TEST

RUN_TESTS("response", a_limit_says_in_whole_seconds_when_it_is_over,
	  one_event_is_answered_with_its_id,
	  a_batch_is_answered_with_all_ids_also_when_it_holds_one,
	  on_a_cluster_each_partition_of_an_event_is_told_once, the_largest_answer_fits,
	  errors_say_detail_and_field_as_json, a_long_detail_is_cut_between_characters,
	  each_status_brings_the_headers_it_needs, the_last_thing_said_counts,
	  head_has_the_length_and_no_body, options_has_no_content_at_all, ill_health_says_why,
	  too_little_room_is_told)
