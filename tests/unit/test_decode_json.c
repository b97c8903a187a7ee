/* test_decode_json: what a JSON body says, or which of its parts is wrong. */
#include "publisher/decode.h"

#include <stdio.h>

#include "publisher/response.h"
#include "tests/unit/decode_case.h"
#include "tests/unit/run.h"

static const struct body_case json_cases[] = {
	/* one event */
	{"{\"topic\":\"a\"}", "message {} -> a"},
	{"{\"topics\":[\"a\",\"b\"],\"event\":\"x\",\"data\":1}", "x 1 -> a,b"},
	{"{\"topics\":[\"a\",\"b\",\"a\"]}", "message {} -> a,b"},
	{" {\"data\" : {\"b\" : [1.0, 2]} , \"topic\":\"a\" } \n",
	 "message {\"b\" : [1.0, 2]} -> a"},
	{"{\"topic\":\"a\",\"data\":null}", "message null -> a"},
	{"{\"t\\u006fpic\":\"\\u0061:b\",\"event\":\"\\u00e9\\\"\"}", "\xc3\xa9\" {} -> a:b"},
	{"{\"topic\":\"a\",\"key\":\"k 1\",\"idempotency_key\":\"x\\u0079\"}",
	 "message {} key=k 1 -> a once=xy"},
	/* batches */
	{"[{\"topic\":\"a\"}]", "batch message {} -> a"},
	{"[{\"topic\":\"a\",\"data\":1},{\"topics\":[\"b\",\"c\"],\"event\":\"x\"}]",
	 "batch message 1 -> a; x {} -> b,c"},
	/* bodies that can't be read */
	{"{", "400 -"},
	{"  ", "400 -"},
	{"{'topic':'a'}", "400 -"},
	{"{\"topic\":\"a\"} x", "400 -"},
	{"{\"topic\":\"a\"}{\"topic\":\"a\"}", "400 -"},
	{"\xef\xbb\xbf{\"topic\":\"a\"}", "400 -"},
	{"{\"topic\":\"a\",\"data\":\"\xfc\"}", "400 -"},
	{"topic=a", "400 -"},
	/* rules about the whole */
	{"\"a\"", "422 -"},
	{"1", "422 -"},
	{"null", "422 -"},
	{"[]", "422 -"},
	{"[1]", "422 events[0]"},
	{"[{\"topic\":\"a\"},[]]", "422 events[1]"},
	{"{}", "422 topic"},
	{"{\"data\":1}", "422 topic"},
	{"[{\"topic\":\"a\"},{}]", "422 events[1].topic"},
	{"{\"topic\":\"a\",\"topics\":[\"b\"]}", "422 topics"},
	{"{\"topics\":[\"b\"],\"topic\":\"a\"}", "422 topics"},
	{"{\"topic\":\"a\",\"topic\":\"a\"}", "422 topic"},
	{"{\"topic\":\"a\",\"data\":1,\"d\\u0061ta\":1}", "422 data"},
	{"{\"topic\":\"a\",\"id\":\"1-0\"}", "422 id"},
	{"{\"topic\":\"a\",\"Event\":\"x\"}", "422 Event"},
	{"{\"topic\":\"a\",\"\":1}", "422 -"},
	{"[{\"topic\":\"a\",\"retry\":1}]", "422 events[0].retry"},
	/* rules about members */
	{"{\"topic\":1}", "422 topic"},
	{"{\"topic\":null}", "422 topic"},
	{"{\"topic\":[\"a\"]}", "422 topic"},
	{"{\"topic\":\"\"}", "422 topic"},
	{"{\"topic\":\"a,b\"}", "422 topic"},
	{"{\"topic\":\" a\"}", "422 topic"},
	{"{\"topic\":\"a b\"}", "422 topic"},
	{"{\"topic\":\"{a}\"}", "422 topic"},
	{"{\"topic\":\"a\\u0000\"}", "422 topic"},
	{"{\"topic\":\"a\\r\\nPING\\r\\n\"}", "422 topic"},
	{"{\"topic\":\"\xc3\xa9\"}", "422 topic"},
	{"{\"topic\":\"sse:log:a\"}", "422 topic"},
	{"{\"topics\":\"a\"}", "422 topics"},
	{"{\"topics\":{\"a\":\"b\"}}", "422 topics"},
	{"{\"topics\":[]}", "422 topics"},
	{"{\"topics\":[\"a\",1]}", "422 topics"},
	{"{\"topics\":[\"a\",\"b c\"]}", "422 topics[1]"},
	{"[{\"topic\":\"a\"},{\"topics\":[\"a\",\"\"]}]", "422 events[1].topics[1]"},
	{"{\"topic\":\"a\",\"event\":1}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"\"}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"x\\ny\"}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"x\\u0085\"}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"sse.open\"}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"SSE.open\"}", "SSE.open {} -> a"},
	{"{\"topic\":\"a\",\"key\":\"\"}", "422 key"},
	{"{\"topic\":\"a\",\"key\":\"a\\nb\"}", "422 key"},
	{"{\"topic\":\"a\",\"key\":7}", "422 key"},
	{"{\"topic\":\"a\",\"idempotency_key\":\"\"}", "422 idempotency_key"},
	{"{\"topic\":\"a\",\"idempotency_key\":7}", "422 idempotency_key"},
	{"[{\"topic\":\"a\",\"idempotency_key\":\"x\"}]", "422 events[0].idempotency_key"},
	/* rules about JSON itself, placed */
	{"{\"topic\":\"a\",\"data\":\"\\ud800\"}", "422 data"},
	{"{\"topic\":\"\\udc00\"}", "422 topic"},
	{"{\"topic\":\"a\",\"\\ud800\":1}", "422 -"},
	{"{\"\\ud800\":1,\"topic\":\"a\",\"data\":\"\\ud800\"}", "422 -"},
	{"[{\"topic\":\"a\"},{\"topic\":\"a\",\"data\":[\"\\ud800\"]}]", "422 events[1].data"},
	{"\"\\ud800\"", "422 -"},
};

START_TEST(json_bodies_are_read_or_their_fault_is_named)
{
	for (size_t i = 0; i < COUNT_OF(json_cases); i++)
		check(JSON, json_cases[i].body, json_cases[i].expected);
}
END_TEST

/* A body made of a head, n times a middle with its number, and a tail. */
static char *many(const char *head, const char *middle, int n, const char *tail)
{
	size_t size = strlen(head) + (strlen(middle) + 12) * (size_t)n + strlen(tail) + 1;
	char *body = malloc(size), *at = body;

	ck_assert_ptr_nonnull(body);
	at += snprintf(at, size, "%s", head);
	for (int i = 0; i < n; i++)
		at += snprintf(at, size - (size_t)(at - body), "%s%s%d\"", i ? "," : "", middle, i);
	snprintf(at, size - (size_t)(at - body), "%s", tail);
	return body;
}

/* An event that names the same topic n times. */
static char *repeat_topic(int n)
{
	char *body = malloc((size_t)n * 4 + 32), *at = body;

	ck_assert_ptr_nonnull(body);
	at += snprintf(at, 16, "{\"topics\":[");
	for (int i = 0; i < n; i++)
		at += snprintf(at, 8, "%s\"a\"", i ? "," : "");
	snprintf(at, 8, "]}");
	return body;
}

START_TEST(numbers_of_events_and_topics_are_bounded)
{
	char text[TEXT_BYTES];
	char *body = many("{\"topics\":[", "\"t", DECODE_MAX_TOPICS, "]}");

	ck_assert_int_eq(decode(JSON, body, strlen(body), text, NULL), 0);
	free(body);
	body = many("{\"topics\":[", "\"t", DECODE_MAX_TOPICS + 1, "]}");
	ck_assert_int_eq(decode(JSON, body, strlen(body), text, NULL), -1);
	ck_assert_str_eq(text, "422 topics");
	free(body);

	/* looking for doubles takes time, so doubles count */
	body = repeat_topic(DECODE_MAX_TOPICS);
	check(JSON, body, "message {} -> a");
	free(body);
	body = repeat_topic(DECODE_MAX_TOPICS + 1);
	check(JSON, body, "422 topics");
	free(body);

	char *event = many("{\"topics\":[", "\"t", DECODE_MAX_COPIES / 10, "]}");
	size_t len = strlen(event);
	char *all = malloc(12 * (len + 1) + 3), *at = all;
	for (int i = 0; i < 10; i++) {
		*at++ = i ? ',' : '[';
		memcpy(at, event, len);
		at += len;
	}
	memcpy(at, "]", 2);
	ck_assert_int_eq(decode(JSON, all, strlen(all), text, NULL), 0);
	memcpy(at, ",{\"topic\":\"x\"}]", 16);
	ck_assert_int_eq(decode(JSON, all, strlen(all), text, NULL), -1);
	ck_assert_str_eq(text, "422 events[10].topic");
	free(event);
	free(all);
}
END_TEST

START_TEST(a_batch_has_at_most_a_thousand_events)
{
	for (int n = DECODE_MAX_EVENTS - 1; n <= DECODE_MAX_EVENTS + 1; n++) {
		struct decode_media media = {0};
		struct publication p;
		struct response r;
		char *body = malloc((size_t)n * 20), *at = body;

		for (int i = 0; i < n; i++)
			at += snprintf(at, 20, "%c{\"topic\":\"t\"}", i ? ',' : '[');
		*at++ = ']';
		response_init(&r);
		int rc = decode_body((struct span){body, (size_t)(at - body)}, &media, MAX_MESSAGE,
				     &p, &r);
		ck_assert_int_eq(rc, n <= DECODE_MAX_EVENTS ? 0 : -1);
		ck_assert_uint_eq(rc == 0 ? p.n_events : 422, rc == 0 ? (size_t)n : r.status);
		publication_done(&p);
		response_done(&r);
		free(body);
	}
}
END_TEST

RUN_TESTS("decode_json", json_bodies_are_read_or_their_fault_is_named,
	  numbers_of_events_and_topics_are_bounded, a_batch_has_at_most_a_thousand_events)
