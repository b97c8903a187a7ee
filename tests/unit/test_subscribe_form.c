/* test_subscribe_form: topics, cursor and event filter from query, headers and body. */
#include "streamer/subscribe_form.h"

#include <stdio.h>

#include "common/topic.h"
#include "streamer/filter.h"
#include "tests/unit/asking.h"
#include "tests/unit/run.h"

/* What came out, as text: topics, then `|` and the events, then `@` and the cursor; or the status
 * and detail of a refusal. */
static const char *told(struct ask *a, char *out, size_t size)
{
	size_t len = 0;

	if (a->kind == ASK_ERROR) {
		snprintf(out, size, "%u %s", a->status, a->detail);
	} else {
		for (size_t i = 0; i < a->n_topics; i++)
			len += (size_t)snprintf(out + len, size - len, "%s%.*s", i ? "," : "",
						(int)a->topics[i].len, a->topics[i].at);
		for (size_t i = 0; i < a->n_events; i++)
			len += (size_t)snprintf(out + len, size - len, "%s%.*s", i ? "," : "|",
						(int)a->events[i].len, a->events[i].at);
		if (a->cursor.at)
			snprintf(out + len, size - len, "@%.*s", (int)a->cursor.len, a->cursor.at);
	}
	ask_free(a);
	return out;
}

static void query_gives(const char *query, const char *headers, const char *expected)
{
	char bytes[4096], out[1024];

	snprintf(bytes, sizeof(bytes), "GET /events%s HTTP/1.1\r\nHost: x\r\n%s\r\n", query,
		 headers);
	told(asking(ROUTE_PUBLIC, bytes), out, sizeof(out));
	ck_assert_msg(strcmp(out, expected) == 0, "%s: %s, not %s", query, out, expected);
}

#define MISSING    "400 Missing required query parameter: topic"
#define AT_LEAST   "400 At least one topic is required"
#define ESCAPE     "400 Malformed percent-encoding"
#define TOO_MANY   "400 Too many topics: at most 4 on one connection"
#define RESERVED   "400 Topics beginning with sse: are reserved"
#define UNSAYABLE  "400 Invalid topic: it must be " TOPIC_RULE
#define NOT_ARRAYS "400 topics and events must be arrays of strings"

START_TEST(topics_come_from_every_spelling_of_the_parameter)
{
	static const char *const cases[][2] = {
		{"?topic=a", "a"},
		{"?topics=a", "a"},
		{"?topic[]=a", "a"},
		{"?topic%5B%5D=a&topic%5b%5d=b", "a,b"},
		{"?to%70ic=a", "a"},
		{"?topic=a,b", "a,b"},
		{"?topic=b&topics=a", "b,a"},
		{"?topic=a&topic=a&topics=b,a", "a,b"},
		{"?topic=%61,%2Cb", "a,b"},
		{"?topic=,a,,b,", "a,b"},
		{"?topic=+a+,%09b%20", "a,b"},
		{"?topic=%2b", "400 Invalid topic: +"},
		{"?topic=a%2bb", "a+b"},
		{"?x=1&topic=a&&y", "a"},
		{"?topic=a&Topic=b", "a"},
		{"?topic=a,b,c,d", "a,b,c,d"},
		{"?topic=a,b,c,d,a,b", "a,b,c,d"},
		{"?topic=a,b,c,d,e", TOO_MANY},
		{"?topic=a,b&topic=c,d&topic=e", TOO_MANY},
		{"", MISSING},
		{"?", MISSING},
		{"?x", MISSING},
		{"?x=topic", MISSING},
		{"?topic", AT_LEAST},
		{"?topic=", AT_LEAST},
		{"?topic=,", AT_LEAST},
		{"?topic=+%09,%20", AT_LEAST},
		{"?topic=%", ESCAPE},
		{"?topic=%4", ESCAPE},
		{"?topic=%zz", ESCAPE},
		{"?topic=a&x=%", ESCAPE},
		{"?%=a&topic=a", ESCAPE},
		{"?topic=*", "400 Invalid topic: *"},
		{"?topic=a*", "400 Invalid topic: a*"},
		{"?topic=%7Btag%7D", "400 Invalid topic: {tag}"},
		{"?topic=a+b", "400 Invalid topic: a b"},
		{"?topic=%c3%a4", "400 Invalid topic: \xc3\xa4"},
		{"?topic=a%00", UNSAYABLE},
		{"?topic=a%0d%0aX", UNSAYABLE},
		{"?topic=%0a", UNSAYABLE},
		{"?topic=a%c0%af", UNSAYABLE},
		{"?topic=a%c2%85", UNSAYABLE},
		{"?topic=sse:control", RESERVED},
		{"?topic=sse%3Acontrol", RESERVED},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		query_gives(cases[i][0], "", cases[i][1]);
}
END_TEST

START_TEST(a_topic_of_200_bytes_is_one_and_of_201_is_none)
{
	char query[300] = "?topic=", expected[300];

	memset(query + 7, 'a', 200);
	query_gives(query, "", query + 7);
	query[207] = 'a';
	snprintf(expected, sizeof(expected), "%s", UNSAYABLE);
	query_gives(query, "", expected);
}
END_TEST

START_TEST(the_cursor_is_the_headers_else_the_first_good_one_of_the_query)
{
	static const char *const cases[][3] = {
		{"?topic=a&last_event_id=5-6", "", "a@5-6"},
		{"?topic=a&lastEventId=5-6", "", "a@5-6"},
		{"?topic=a&lastEventID=5-6", "", "a@5-6"},
		{"?topic=a&Last-Event-ID=5-6", "", "a@5-6"},
		{"?topic=a&Last-Event-Id=5-6", "", "a"},
		{"?Last-Event-ID=4-0&lastEventID=3-0&lastEventId=2-0&last_event_id=1-0&topic=a", "",
		 "a@1-0"},
		{"?lastEventID=3-0&lastEventId=2-0&topic=a", "", "a@2-0"},
		{"?topic=a&last_event_id=1-0&last_event_id=2-0", "", "a@1-0"},
		{"?topic=a&last_event_id=x&lastEventId=2-0", "", "a@2-0"},
		{"?topic=a&last_event_id=1-0", "Last-Event-ID: 9-9\r\n", "a@9-9"},
		{"?topic=a&last_event_id=1-0", "last-event-id: x\r\n", "a"},
		{"?topic=a", "Last-Event-ID: 9-9\r\n", "a@9-9"},
		{"?topic=a", "Last-Event-ID: -1-0\r\n", "a"},
		{"?topic=a", "Last-Event-ID: 1-0 x\r\n", "a"},
		{"?topic=a", "Last-Event-ID: 01-0\r\n", "a"},
		{"?topic=a", "Last-Event-ID: \xe4-\xb8\r\n", "a"},
		{"?topic=a&last_event_id", "", "a"},
		{"?topic=a&last_event_id=5%2D6", "", "a@5-6"},
		{"?topic=a&last_event_id=5-6%00", "", "a"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		query_gives(cases[i][0], cases[i][1], cases[i][2]);
}
END_TEST

START_TEST(events_are_a_list_of_names_that_could_be_published)
{
	static const char *const cases[][2] = {
		{"?topic=a&events=x,y", "a|x,y"},
		{"?topic=a&events=x&events=y,x", "a|x,y"},
		{"?topic=a&events=", "a"},
		{"?topic=a&events=,", "a"},
		{"?topic=a&events=a+b", "a|a b"},
		{"?topic=a&events=%c3%a4", "a|\xc3\xa4"},
		{"?topic=a&event=x", "a"},
		{"?topic=a&events=%0a", "400 Invalid event name in events"},
		{"?topic=a&events=%ff", "400 Invalid event name in events"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		query_gives(cases[i][0], "", cases[i][1]);
}
END_TEST

START_TEST(event_names_are_bounded)
{
	char query[1024] = "?topic=a&events=";
	size_t len = strlen(query);

	for (int i = 0; i < 64; i++)
		len += (size_t)snprintf(query + len, sizeof(query) - len, "e%d,", i);
	struct ask *a;
	char bytes[2048];
	snprintf(bytes, sizeof(bytes), "GET /events%s HTTP/1.0\r\n\r\n", query);
	a = asking(ROUTE_PUBLIC, bytes);
	ck_assert_uint_eq(a->n_events, 64);
	ask_free(a);
	snprintf(query + len, sizeof(query) - len, "one_more");
	query_gives(query, "", "400 Too many event names in events");
}
END_TEST

static void post_gives(const char *query, const char *type, const char *body, const char *expected)
{
	char bytes[4096], out[1024];

	snprintf(bytes, sizeof(bytes),
		 "POST /events%s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s%s\r\n\r\n%s",
		 query, strlen(body), *type ? "Content-Type: " : "", *type ? type : "X: y", body);
	told(asking(ROUTE_PUBLIC, bytes), out, sizeof(out));
	ck_assert_msg(strcmp(out, expected) == 0, "%s %s: %s, not %s", query, body, out, expected);
}

#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"

START_TEST(a_form_body_says_what_a_query_can)
{
	post_gives("", FORM, "topic=a,b&last_event_id=1-2&events=x", "a,b|x@1-2");
	post_gives("", "application/X-WWW-Form-Urlencoded; charset=UTF-8", "topic=a", "a");
	post_gives("?topic=a&last_event_id=1-1", FORM, "topic=b,a&last_event_id=2-2", "a,b@1-1");
	post_gives("", FORM, "topic=%", ESCAPE);
	post_gives("?topic=a,b,c", FORM, "topic=d,e", TOO_MANY);
}
END_TEST

START_TEST(a_json_body_says_it_too)
{
	static const char *const cases[][2] = {
		{"{\"topics\":[\"a\",\"b\"]}", "a,b"},
		{" {\"topics\":[ \"a\" ] } ", "a"},
		{"{\"topic\":\"a\"}", "a"},
		{"{\"topics\":\"a\"}", "a"},
		{"{\"t\\u006fpics\":[\"\\u0061\"]}", "a"},
		{"{\"topics\":[\"a\"],\"topic\":[\"b\"]}", "a,b"},
		{"{\"topics\":[\"a\"],\"last_event_id\":\"1-2\",\"events\":[\"x\",\"y\"]}",
		 "a|x,y@1-2"},
		{"{\"topics\":[\"a\"],\"last_event_id\":null}", "a"},
		{"{\"topics\":[\"a\"],\"last_event_id\":12}", "a"},
		{"{\"topics\":[\"a\"],\"lastEventId\":\"1-2\"}", "a"},
		{"{\"topics\":[\"a\"],\"more\":{\"x\":1}}", "a"},
		{"{\"topics\":[\"a,b\"]}", "400 Invalid topic: a,b"},
		{"{\"topics\":[\" a\"]}", "400 Invalid topic:  a"},
		{"{\"topics\":[\"\"]}", "400 Invalid topic: "},
		{"{\"topics\":[\"a\\u0000\"]}", UNSAYABLE},
		{"{\"topics\":[\"sse:x\"]}", RESERVED},
		{"{\"topics\":[]}", AT_LEAST},
		{"{}", MISSING},
		{"{\"topics\":1}", NOT_ARRAYS},
		{"{\"topics\":null}", NOT_ARRAYS},
		{"{\"topics\":[1]}", NOT_ARRAYS},
		{"{\"topics\":[[]]}", "400 The body is not the JSON object that was expected"},
		{"{\"topics\":{\"a\":1}}", NOT_ARRAYS},
		{"{\"topics\":[\"a\"],\"events\":7}", NOT_ARRAYS},
		{"[]", "400 The body must be a JSON object"},
		{"\"a\"", "400 The body must be a JSON object"},
		{"{", "400 The body is not the JSON object that was expected"},
		{"{} x", "400 The body is not the JSON object that was expected"},
		{"{\"a\":[[[]]]}", "400 The body is not the JSON object that was expected"},
		{"{\"topics\":[\"\\ud800\"]}",
		 "400 The body is not the JSON object that was expected"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		post_gives("", JSON, cases[i][0], cases[i][1]);
	post_gives("?topic=b", JSON, "{\"topics\":[\"a\",\"b\"]}", "b,a");
	post_gives("", "Application/JSON;charset=utf-8", "{\"topics\":[\"a\"]}", "a");
}
END_TEST

START_TEST(a_body_of_another_type_is_415_and_none_needs_no_type)
{
	static const char *const types[] = {"",
					    "text/plain",
					    "application/jsonp",
					    "application/jsonx",
					    "xapplication/json",
					    ";",
					    "multipart/form-data",
					    "application"};

	for (size_t i = 0; i < COUNT_OF(types); i++)
		post_gives("?topic=a", types[i], "topic=b",
			   "415 Send application/json or application/x-www-form-urlencoded");
	post_gives("?topic=a", "", "", "a");
	post_gives("?topic=a", "text/plain", "", "a");
}
END_TEST

START_TEST(a_filter_passes_its_names_alone_and_outlives_them)
{
	char text[] = "ab";
	const struct span names[] = {{text, 2}, {text + 1, 1}};
	struct filter *f = filter_new(names, 2);

	ck_assert_ptr_nonnull(f);
	memset(text, '#', 2);
	ck_assert(filter_passes(f, span_of("ab")) && filter_passes(f, span_of("b")));
	ck_assert(!filter_passes(f, span_of("a")) && !filter_passes(f, span_of("")));
	ck_assert(!filter_passes(f, span_of("abb")) && !filter_passes(f, span_of("#")));
	ck_assert(filter_passes(NULL, span_of("anything")));
	filter_free(f);
	filter_free(NULL);
}
END_TEST

RUN_TESTS("subscribe_form", topics_come_from_every_spelling_of_the_parameter,
	  a_topic_of_200_bytes_is_one_and_of_201_is_none,
	  the_cursor_is_the_headers_else_the_first_good_one_of_the_query,
	  events_are_a_list_of_names_that_could_be_published, event_names_are_bounded,
	  a_form_body_says_what_a_query_can, a_json_body_says_it_too,
	  a_body_of_another_type_is_415_and_none_needs_no_type,
	  a_filter_passes_its_names_alone_and_outlives_them)
