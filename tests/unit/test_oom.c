/* test_oom: memory that runs out anywhere in common is reported, leaves nothing behind and spoils
 * nothing. */
#include <errno.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/event.h"
#include "common/jsonspan.h"
#include "common/urlenc.h"
#include "tests/unit/oom.h"
#include "tests/unit/run.h"

enum { MAX_BYTES = 1 << 16 };

/* How each thing is appended, over and over, to a buffer that must grow for it. */
static int append_bytes(struct buf *b)
{
	return buf_append(b, "0123456789abcdef", 16);
}

static int append_printed(struct buf *b)
{
	return buf_printf(b, "%d and %s", 42, "more");
}

static int append_json_string(struct buf *b)
{
	return jsonspan_append_string(b, "a\"b\n\x01", 5);
}

static int append_percent_encoded(struct buf *b)
{
	return urlenc_append(b, "a/b?c", 5);
}

static int append_delivered_text(struct buf *b)
{
	return event_data_text(span_of("\"a\\u00e9b\""), b);
}

static int append_delivered_json(struct buf *b)
{
	return event_data_text(span_of("{\"a\":[1.0]}"), b);
}

static int append_encoded_event(struct buf *b)
{
	static const struct span topics[] = {{"first", 5}, {"second", 6}};
	struct event event = {.name = {"x\"y", 3}, .data = {"{\"a\":1}", 7}, .key = {"key", 3}};
	struct event_parts parts;

	event.topics = topics;
	event.n_topics = COUNT_OF(topics);
	return event_encode(&event, b, &parts);
}

static bool grow(int (*append)(struct buf *b))
{
	struct buf b;
	int rc = 0;

	buf_init(&b, MAX_BYTES);
	for (int i = 0; rc == 0 && i < 100; i++) {
		size_t len = b.len;

		rc = append(&b);
		if (rc < 0) {
			ck_assert_int_eq(rc, -ENOMEM);
			ck_assert_uint_eq(b.len, len);
			ck_assert(b.data == NULL || b.data[len] == '\0');
		}
	}
	buf_done(&b);
	return rc < 0;
}

static bool grow_by_bytes(void)
{
	return grow(append_bytes);
}

static bool grow_by_print(void)
{
	return grow(append_printed);
}

static bool grow_by_json_strings(void)
{
	return grow(append_json_string);
}

static bool grow_by_percent_encoding(void)
{
	return grow(append_percent_encoded);
}

static bool grow_by_delivered_text(void)
{
	return grow(append_delivered_text);
}

static bool grow_by_delivered_json(void)
{
	return grow(append_delivered_json);
}

static bool grow_by_events(void)
{
	return grow(append_encoded_event);
}

START_TEST(whatever_makes_a_buffer_grow_reports_that_memory_is_out)
{
	static const oom_action actions[] = {
		grow_by_bytes,          grow_by_print,
		grow_by_json_strings,   grow_by_percent_encoding,
		grow_by_delivered_text, grow_by_delivered_json,
		grow_by_events,
	};

	for (size_t i = 0; i < COUNT_OF(actions); i++)
		ck_assert_uint_ge(oom_exhaust(actions[i]), 4);
}
END_TEST

static bool reserve(void)
{
	struct buf b;
	bool failed;

	buf_init(&b, MAX_BYTES);
	errno = 0;
	failed = buf_reserve(&b, 100) == NULL;
	if (failed)
		ck_assert_int_eq(errno, ENOMEM);
	buf_done(&b);
	return failed;
}

START_TEST(reserving_says_enomem)
{
	ck_assert_uint_eq(oom_exhaust(reserve), 1);
}
END_TEST

static bool decode_escaped_name(void)
{
	static const char text[] = "{\"event\":\"a\\u0062\",\"data\":{}}";
	struct event_message m = {.name = {"untouched", 9}};
	enum event_decode_status status = event_decode(text, strlen(text), &m);

	if (status == EVENT_OK) {
		event_message_done(&m);
		return false;
	}
	ck_assert_int_eq(status, EVENT_DECODE_NOMEM);
	ck_assert(span_is(m.name, "untouched"));
	return true;
}

START_TEST(a_name_that_cannot_be_unescaped_for_want_of_memory_is_no_bad_message)
{
	ck_assert_uint_eq(oom_exhaust(decode_escaped_name), 1);
}
END_TEST

static bool decode_bad_escaped_name(void)
{
	static const char text[] = "{\"event\":\"sse\\u002ereset\"}";
	struct event_message m;

	return event_decode(text, strlen(text), &m) != EVENT_NOT_EVENT;
}

START_TEST(a_refused_name_leaves_nothing_behind)
{
	ck_assert_uint_eq(oom_exhaust(decode_bad_escaped_name), 1);
}
END_TEST

RUN_TESTS("oom", whatever_makes_a_buffer_grow_reports_that_memory_is_out, reserving_says_enomem,
	  a_name_that_cannot_be_unescaped_for_want_of_memory_is_no_bad_message,
	  a_refused_name_leaves_nothing_behind)
