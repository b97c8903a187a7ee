/* test_event: the wire contract, written in one spelling and read in all that strict JSON has. */
#include "common/event.h"

#include <errno.h>
#include <stdio.h>

#include "common/buf.h"
#include "tests/unit/run.h"

START_TEST(event_name_is_text_without_control_characters)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{"message", true},
		{"x", true},
		{"comment created", true},
		{"\xc3\xa4nderung", true},
		{"\xf0\x9f\x98\x80", true},
		{"sse.open", true},
		{"", false},
		{"a\nb", false},
		{"a\rb", false},
		{"a\tb", false},
		{"a\x7f", false},
		{"a\xc2\x85", false},
		{"\xff", false},
		{"\xed\xa0\x80", false},
	};
	char longest[EVENT_NAME_MAX_BYTES + 1];

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool valid = event_name_valid(cases[i].name, strlen(cases[i].name));

		ck_assert_msg(valid == cases[i].valid, "case %zu", i);
	}
	memset(longest, 'x', sizeof(longest));
	ck_assert(event_name_valid(longest, 128));
	ck_assert(!event_name_valid(longest, 129));
	ck_assert(!event_name_valid("a\0b", 3));
}
END_TEST

START_TEST(only_names_that_begin_with_ours_are_reserved)
{
	ck_assert(event_name_reserved("sse.", 4));
	ck_assert(event_name_reserved("sse.reset", 9));
	ck_assert(!event_name_reserved("sse", 3));
	ck_assert(!event_name_reserved("sse:x", 5));
	ck_assert(!event_name_reserved("Sse.x", 5));
	ck_assert(!event_name_reserved("", 0));
}
END_TEST

/* The message as the script puts it together. */
static void assemble(const struct event_parts *parts, const char *id, const char *prev,
		     struct buf *out)
{
	ck_assert_int_eq(buf_append(out, parts->head.at, parts->head.len), 0);
	ck_assert_int_eq(buf_append_str(out, id), 0);
	ck_assert_int_eq(buf_append(out, parts->middle.at, parts->middle.len), 0);
	ck_assert_int_eq(buf_append_str(out, prev), 0);
	ck_assert_int_eq(buf_append(out, parts->tail.at, parts->tail.len), 0);
}

START_TEST(message_has_one_spelling)
{
	static const struct span one[] = {{"a", 1}}, three[] = {{"a", 1}, {"b/c", 3}, {"d", 1}};
	static const struct {
		struct event event;
		const char *message;
	} cases[] = {
		{{.name = {"comment_created", 15},
		  .data = {"{\"id\":1}", 8},
		  .topics = one,
		  .n_topics = 1},
		 "{\"event\":\"comment_created\",\"data\":{\"id\":1},\"id\":\"7-1\",\"prev\":\"7-"
		 "0\"}"},
		{{.name = {"x", 1}, .data = {"null", 4}, .topics = three, .n_topics = 3},
		 "{\"event\":\"x\",\"data\":null,\"id\":\"7-1\",\"prev\":\"7-0\","
		 "\"topics\":[\"a\",\"b/c\",\"d\"]}"},
		{{.name = {"x", 1},
		  .data = {"1.0", 3},
		  .key = {"k\"1", 3},
		  .topics = one,
		  .n_topics = 1},
		 "{\"event\":\"x\",\"data\":1.0,\"id\":\"7-1\",\"prev\":\"7-0\",\"key\":"
		 "\"k\\\"1\"}"},
		{{.name = {"a\"b\\", 4},
		  .data = {"\"\\/\"", 4},
		  .key = {"", 0},
		  .topics = three,
		  .n_topics = 2},
		 "{\"event\":\"a\\\"b\\\\\",\"data\":\"\\/\",\"id\":\"7-1\",\"prev\":\"7-0\","
		 "\"topics\":[\"a\",\"b/c\"],\"key\":\"\"}"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct event_parts parts;
		struct buf b, message;

		buf_init(&b, 1000);
		buf_init(&message, 1000);
		ck_assert_int_eq(buf_append_str(&b, "earlier events"), 0);
		ck_assert_int_eq(event_encode(&cases[i].event, &b, &parts), 0);
		assemble(&parts, "7-1", "7-0", &message);
		ck_assert_str_eq(message.data, cases[i].message);
		ck_assert_mem_eq(b.data, "earlier events{", 15);
		buf_done(&b);
		buf_done(&message);
	}
}
END_TEST

START_TEST(measured_size_covers_the_longest_ids)
{
	static const char longest[] = "99999999999999-999999999";
	struct span topics[] = {{"a", 1}, {"b", 1}};
	struct event event = {.name = {"x", 1}, .data = {"{}", 2}, .topics = topics, .n_topics = 2};
	struct event_parts parts;
	struct buf b, message;

	buf_init(&b, 1000);
	buf_init(&message, 1000);
	ck_assert_int_eq(event_encode(&event, &b, &parts), 0);
	assemble(&parts, longest, longest, &message);
	ck_assert_uint_eq(event_message_bytes(&parts), message.len);
	buf_done(&b);
	buf_done(&message);
}
END_TEST

START_TEST(encoding_stops_at_every_maximum_and_leaves_the_buffer_as_it_was)
{
	struct span topics[] = {{"a", 1}, {"b", 1}};
	struct event event = {.name = {"x", 1},
			      .data = {"{}", 2},
			      .key = {"k", 1},
			      .topics = topics,
			      .n_topics = 2};
	struct event_parts parts;
	struct buf b;
	size_t whole;

	buf_init(&b, 1000);
	ck_assert_int_eq(event_encode(&event, &b, &parts), 0);
	whole = b.len;
	buf_done(&b);
	for (size_t max = 0; max < whole; max++) {
		buf_init(&b, max + 3);
		ck_assert_int_eq(buf_append_str(&b, "abc"), 0);
		ck_assert_int_eq(event_encode(&event, &b, &parts), -ENOBUFS);
		ck_assert_uint_eq(b.len, 3);
		ck_assert_str_eq(b.data, "abc");
		buf_done(&b);
	}
	buf_init(&b, whole);
	ck_assert_int_eq(event_encode(&event, &b, &parts), 0);
	buf_done(&b);
}
END_TEST

/* Decodes a copy that ends where the text ends; *m borrows from it, so the caller frees it after
 * use. */
static enum event_decode_status decode(const char *text, size_t len, char **copy,
				       struct event_message *m)
{
	*copy = malloc(len ? len : 1);
	ck_assert_ptr_nonnull(*copy);
	memcpy(*copy, text, len);
	return event_decode(*copy, len, m);
}

START_TEST(readable_messages_give_name_and_data)
{
	static const struct {
		const char *message, *name, *data;
	} cases[] = {
		{"{\"event\":\"x\",\"data\":{},\"id\":null}", "x", "{}"},
		{"{\"event\":\"comment_created\",\"data\":{\"comment_id\":\"456\"},"
		 "\"id\":\"1a2b3c4d-1760000000000-7\"}", /* the Python library */
		 "comment_created", "{\"comment_id\":\"456\"}"},
		{"{\"event\":\"x\"}", "x", "{}"},
		{" { \"data\" : [ 1 , 2 ] , \"event\" : \"x\" } \n", "x", "[ 1 , 2 ]"},
		{"{\"event\":\"x\",\"data\":1.0}", "x", "1.0"},
		{"{\"event\":\"x\",\"data\":123456789012345678901234567890}", "x",
		 "123456789012345678901234567890"},
		{"{\"event\":\"x\",\"data\":null}", "x", "null"},
		{"{\"event\":\"x\",\"data\":\"\\/\"}", "x", "\"\\/\""},
		{"{\"event\":\"a\\u00e9\\n\\u0062\",\"event\":\"b\\u0061\"}", "ba", "{}"},
		{"{\"event\":\"x\",\"event\":\"y\",\"data\":1,\"data\":2}", "y",
		 "2"}, /* the last one */
		{"{\"\\u0065vent\":\"x\",\"d\\u0061ta\":3}", "x", "3"},
		{"{\"event\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80", "{}"},
		{"{\"event\":\"x\",\"Data\":1,\"Event\":2,\"data \":3}", "x", "{}"},
		{"{\"extra\":{\"event\":\"no\",\"data\":\"no\"},\"event\":\"x\",\"more\":[1]}", "x",
		 "{}"},
		{"{\"event\":\"x\",\"id\":5,\"prev\":[],\"topics\":{},\"key\":1}", "x", "{}"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct event_message m;
		char *copy;

		ck_assert_msg(decode(cases[i].message, strlen(cases[i].message), &copy, &m) ==
				      EVENT_OK,
			      "%s", cases[i].message);
		ck_assert(span_is(m.name, cases[i].name));
		ck_assert(span_is(m.data, cases[i].data));
		ck_assert(!m.ours && event_id_is_zero(m.id) && event_id_is_zero(m.prev));
		ck_assert(!m.key.at && !m.topics.at);
		event_message_done(&m);
		free(copy);
	}
}
END_TEST

START_TEST(unreadable_messages_are_refused)
{
	static const struct {
		const char *message;
		enum event_decode_status status;
	} cases[] = {
		{"", EVENT_NOT_JSON},
		{"hello", EVENT_NOT_JSON},
		{"{", EVENT_NOT_JSON},
		{"[]", EVENT_NOT_JSON},
		{"\"event\"", EVENT_NOT_JSON},
		{"[\"event\",\"x\"]", EVENT_NOT_JSON},
		{"{\"event\":\"x\",\"data\":{}}x", EVENT_NOT_JSON},
		{"{\"event\":\"x\",\"data\":{}}{}", EVENT_NOT_JSON},
		{"{'event':'x'}", EVENT_NOT_JSON},
		{"{\"event\":\"x\",\"data\":NaN}", EVENT_NOT_JSON},
		{"{\"event\":\"x\",\"data\":\"\xff\"}", EVENT_NOT_JSON},
		{"{\"event\":\"x\",\"data\":\"\\ud800\"}", EVENT_NOT_JSON},
		{"{\"event\":\"x\",\"data\":\"a\nb\"}", EVENT_NOT_JSON},
		{"\xef\xbb\xbf{\"event\":\"x\"}", EVENT_NOT_JSON},
		{"{}", EVENT_NOT_EVENT},
		{"{\"data\":{}}", EVENT_NOT_EVENT},
		{"{\"event\":null}", EVENT_NOT_EVENT},
		{"{\"event\":1}", EVENT_NOT_EVENT},
		{"{\"event\":[\"x\"]}", EVENT_NOT_EVENT},
		{"{\"event\":{\"event\":\"x\"}}", EVENT_NOT_EVENT},
		{"{\"event\":\"x\",\"event\":1}", EVENT_NOT_EVENT},
		{"{\"event\":\"\"}", EVENT_NOT_EVENT},
		{"{\"event\":\"a\\nb\"}", EVENT_NOT_EVENT},
		{"{\"event\":\"a\\u000d\"}", EVENT_NOT_EVENT},
		{"{\"event\":\"a\\u0000\"}", EVENT_NOT_EVENT},
		{"{\"event\":\"a\\u0085\"}", EVENT_NOT_EVENT},
		{"{\"event\":\"a\x7f\"}", EVENT_NOT_EVENT},
		{"{\"event\":\"sse.open\"}", EVENT_NOT_EVENT},
		{"{\"event\":\"\\u0073se.reset\"}", EVENT_NOT_EVENT},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct event_message m = {.name = {"untouched", 9}};
		enum event_decode_status status;
		char *copy;

		status = decode(cases[i].message, strlen(cases[i].message), &copy, &m);
		ck_assert_msg(status == cases[i].status, "%s gave %d", cases[i].message,
			      (int)status);
		ck_assert(span_is(m.name, "untouched"));
		free(copy);
	}
}
END_TEST

START_TEST(only_a_valid_id_and_prev_make_a_message_ours)
{
	static const struct {
		const char *members;
		bool ours;
	} cases[] = {
		{"\"id\":\"7-1\",\"prev\":\"7-0\"", true},
		{"\"prev\":\"0-0\",\"id\":\"7-1\"", true},
		{"\"id\":\"7-1\"", false},
		{"\"prev\":\"7-0\"", false},
		{"\"id\":\"7-1\",\"prev\":null", false},
		{"\"id\":null,\"prev\":\"7-0\"", false},
		{"\"id\":\"7\",\"prev\":\"7-0\"", false},
		{"\"id\":\"7-1\",\"prev\":\"x\"", false},
		{"\"id\":\"7-1\",\"prev\":\"\"", false},
		{"\"id\":\"\\u0037-1\",\"prev\":\"7-0\"", false},
		{"\"id\":\"7-1\",\"prev\":\"7-0\",\"prev\":1", false},
		{"\"id\":\"7-1\",\"Prev\":\"7-0\"", false},
		{"\"id\":71,\"prev\":70", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct event_message m;
		char text[200];

		snprintf(text, sizeof(text),
			 "{\"event\":\"x\",%s,\"key\":\"k\",\"topics\":[\"a\"]}", cases[i].members);
		ck_assert_int_eq(event_decode(text, strlen(text), &m), EVENT_OK);
		ck_assert_msg(m.ours == cases[i].ours, "%s", cases[i].members);
		ck_assert(event_id_is_zero(m.id) != m.ours);
		ck_assert((m.key.at != NULL) == m.ours && (m.topics.at != NULL) == m.ours);
		event_message_done(&m);
	}
}
END_TEST

START_TEST(what_is_encoded_is_decoded_back)
{
	static const struct span topics[] = {{"a", 1}, {"b", 1}};
	static const struct {
		struct event event;
		const char *key, *topics;
	} cases[] = {
		{{.name = {"x", 1}, .data = {"[1.0, 2]", 8}, .topics = topics, .n_topics = 1},
		 NULL,
		 NULL},
		{{.name = {"a\"b", 3},
		  .data = {"\"\\u0000\"", 8},
		  .key = {"k\n", 2},
		  .topics = topics,
		  .n_topics = 2},
		 "\"k\\n\"",
		 "[\"a\",\"b\"]"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct event_parts parts;
		struct event_message m;
		struct buf b, message;

		buf_init(&b, 1000);
		buf_init(&message, 1000);
		ck_assert_int_eq(event_encode(&cases[i].event, &b, &parts), 0);
		assemble(&parts, "1764000000007-12", "1764000000000-0", &message);
		ck_assert_int_eq(event_decode(message.data, message.len, &m), EVENT_OK);
		ck_assert(m.ours && span_equal(m.name, cases[i].event.name));
		ck_assert(span_equal(m.data, cases[i].event.data));
		ck_assert(m.id.ms == 1764000000007 && m.id.n == 12);
		ck_assert(m.prev.ms == 1764000000000 && m.prev.n == 0);
		ck_assert(cases[i].key ? span_is(m.key, cases[i].key) : !m.key.at);
		ck_assert(cases[i].topics ? span_is(m.topics, cases[i].topics) : !m.topics.at);
		event_message_done(&m);
		buf_done(&b);
		buf_done(&message);
	}
}
END_TEST

START_TEST(no_prefix_of_a_message_is_read_as_an_event)
{
	static const char text[] = "{\"event\":\"a\\u0062\",\"data\":{\"a\":[1,\"\xc3\xa9\"]},"
				   "\"id\":\"7-1\",\"prev\":\"7-0\",\"topics\":[\"a\",\"b\"]}";

	for (size_t len = 0; len < strlen(text); len++) {
		struct event_message m;
		char *copy;

		ck_assert_int_eq(decode(text, len, &copy, &m), EVENT_NOT_JSON);
		free(copy);
	}
}
END_TEST

START_TEST(data_may_nest_as_deep_as_the_limit)
{
	for (int depth = EVENT_DATA_DEPTH; depth <= EVENT_DATA_DEPTH + 1; depth++) {
		char text[200] = "{\"event\":\"x\",\"data\":";
		size_t len = strlen(text);
		struct event_message m;

		memset(text + len, '[', (size_t)depth);
		memset(text + len + depth, ']', (size_t)depth);
		len += (size_t)depth * 2;
		text[len++] = '}';
		ck_assert_int_eq(event_decode(text, len, &m),
				 depth == EVENT_DATA_DEPTH ? EVENT_OK : EVENT_NOT_JSON);
	}
}
END_TEST

START_TEST(name_is_copied_only_where_it_had_escapes)
{
	static const char plain[] = "{\"event\":\"abc\"}", escaped[] = "{\"event\":\"a\\u0062c\"}";
	struct event_message m;

	ck_assert_int_eq(event_decode(plain, strlen(plain), &m), EVENT_OK);
	ck_assert(m.owned == NULL && m.name.at == plain + 10);
	event_message_done(&m);
	ck_assert_int_eq(event_decode(escaped, strlen(escaped), &m), EVENT_OK);
	ck_assert(m.owned != NULL && m.name.at == m.owned);
	event_message_done(&m);
	ck_assert(m.owned == NULL && m.name.at == NULL);
	event_message_done(&m);
}
END_TEST

START_TEST(strings_are_delivered_as_text_and_the_rest_as_it_stands)
{
	static const struct {
		const char *data, *text;
		size_t len;
	} cases[] = {
		{"\"\"", "", 0},
		{"\"a b\"", "a b", 3},
		{"\"\\u0000\\n\"", "\0\n", 2},
		{"\"{\\\"a\\\":1}\"", "{\"a\":1}", 7},
		{"{\"a\": 1.0}", "{\"a\": 1.0}", 10},
		{"[\"\\/\"]", "[\"\\/\"]", 6},
		{"null", "null", 4},
		{"-0", "-0", 2},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf b;

		buf_init(&b, 100);
		ck_assert_int_eq(event_data_text(span_of(cases[i].data), &b), 0);
		ck_assert_uint_eq(b.len, cases[i].len);
		ck_assert_mem_eq(b.data, cases[i].text, b.len + 1);
		buf_done(&b);
	}
}
END_TEST

START_TEST(text_past_the_maximum_is_refused)
{
	struct buf b;

	buf_init(&b, 4);
	ck_assert_int_eq(event_data_text(span_of("12345"), &b), -ENOBUFS);
	ck_assert_int_eq(event_data_text(span_of("\"abcd\""), &b), -ENOBUFS);
	ck_assert_uint_eq(b.len, 0);
	buf_done(&b);
}
END_TEST

RUN_TESTS("event", event_name_is_text_without_control_characters,
	  only_names_that_begin_with_ours_are_reserved, message_has_one_spelling,
	  measured_size_covers_the_longest_ids,
	  encoding_stops_at_every_maximum_and_leaves_the_buffer_as_it_was,
	  readable_messages_give_name_and_data, unreadable_messages_are_refused,
	  only_a_valid_id_and_prev_make_a_message_ours, what_is_encoded_is_decoded_back,
	  no_prefix_of_a_message_is_read_as_an_event, data_may_nest_as_deep_as_the_limit,
	  name_is_copied_only_where_it_had_escapes,
	  strings_are_delivered_as_text_and_the_rest_as_it_stands, text_past_the_maximum_is_refused)
