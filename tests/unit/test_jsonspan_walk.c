/* test_jsonspan_walk: views that are the very bytes, and strings read and written without loss. */
#include "common/jsonspan.h"

#include <errno.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/utf8.h"
#include "tests/unit/run.h"

START_TEST(trim_takes_white_space_off_and_nothing_else)
{
	static const char *const forms[] = {"{\"a\": 1 }", " {\"a\": 1 }", "{\"a\": 1 }\r\n",
					    "\t\r\n {\"a\": 1 } \n"};

	for (size_t i = 0; i < COUNT_OF(forms); i++)
		ck_assert(span_is(jsonspan_trim(forms[i], strlen(forms[i])), "{\"a\": 1 }"));
	ck_assert_uint_eq(jsonspan_trim("  ", 2).len, 0);
}
END_TEST

/* Writes what a walk gives as name=value; or value; one behind the other. */
static void describe_walk(const char *text, struct buf *out)
{
	struct span whole = jsonspan_trim(text, strlen(text)), name, value;
	struct jsonspan_walk walk;

	ck_assert_int_eq(jsonspan_check(text, strlen(text), 10, NULL), JSONSPAN_OK);
	ck_assert(jsonspan_walk(&walk, whole));
	while (jsonspan_next(&walk, &name, &value) == JSONSPAN_OK) {
		if (walk.object)
			ck_assert_int_eq(buf_printf(out, "%.*s=", (int)name.len, name.at), 0);
		ck_assert_int_eq(buf_printf(out, "%.*s;", (int)value.len, value.at), 0);
	}
	ck_assert_int_eq(jsonspan_next(&walk, &name, &value), JSONSPAN_END);
	ck_assert_int_eq(buf_append_char(out, '.'), 0);
}

START_TEST(walk_gives_the_very_bytes_of_every_value)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
		{"{}", "."},
		{"[]", "."},
		{" [ ] ", "."},
		{"{ \t\r\n }", "."},
		{"[1]", "1;."},
		{"[1,2,3]", "1;2;3;."},
		{"[ 1 ,\n2\t, 3 ]", "1;2;3;."},
		{"{\"a\":1}", "\"a\"=1;."},
		{" { \"a\" : 1 , \"b\" : \"x\" } ", "\"a\"=1;\"b\"=\"x\";."},
		{"{\"a\":[1, 2],\"b\":{ \"c\" : [ ] }}", "\"a\"=[1, 2];\"b\"={ \"c\" : [ ] };."},
		{"{\"a\":1,\"a\":2}", "\"a\"=1;\"a\"=2;."},
		{"{\"\":\"\"}", "\"\"=\"\";."},
		{"{\"a,b:c}\":\"]}\\\"],\"}", "\"a,b:c}\"=\"]}\\\"],\";."},
		{"[\"\\\\\",\"\\\\\\\"\",[\"]\"],{\"}\":\"\\\"}\"}]",
		 "\"\\\\\";\"\\\\\\\"\";[\"]\"];{\"}\":\"\\\"}\"};."},
		{"[1.0,-0,1e999,123456789012345678901234567890]",
		 "1.0;-0;1e999;123456789012345678901234567890;."},
		{"[true,false,null]", "true;false;null;."},
		{"[[[]],[{}],{}]", "[[]];[{}];{};."},
		{"[1 ]", "1;."},
		{"{\"a\":true }", "\"a\"=true;."},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf out;

		buf_init(&out, 1000);
		describe_walk(cases[i].text, &out);
		ck_assert_str_eq(out.data, cases[i].found);
		buf_done(&out);
	}
}
END_TEST

START_TEST(scalars_cannot_be_walked)
{
	static const char *const scalars[] = {"1", "\"[]\"", "null", "true", ""};
	struct jsonspan_walk walk;

	for (size_t i = 0; i < COUNT_OF(scalars); i++)
		ck_assert(!jsonspan_walk(&walk, span_of(scalars[i])));
}
END_TEST

START_TEST(strings_read_as_what_they_mean)
{
	static const struct {
		const char *raw, *plain;
		size_t len;
	} cases[] = {
		{"\"\"", "", 0},
		{"\"abc\"", "abc", 3},
		{"\"a\\/b\"", "a/b", 3},
		{"\"\\\"\\\\\\b\\f\\n\\r\\t\"", "\"\\\b\f\n\r\t", 7},
		{"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac", 6},
		{"\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!", 5},
		{"\"\\ud800\\udc00\"", "\xf0\x90\x80\x80", 4},
		{"\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf", 4},
		{"\"\\uffff\\ud7ff\\ue000\"", "\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80", 9},
		{"\"\xc3\xa9\\n\"", "\xc3\xa9\n", 3},
		{"\"\\\\u0041\"", "\\u0041", 6},
		{"\"\\\\\"", "\\", 1},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span raw = span_of(cases[i].raw);
		char out[64], longer[64];
		size_t len;

		ck_assert_int_eq(jsonspan_check(raw.at, raw.len, 0, NULL), JSONSPAN_OK);
		ck_assert(jsonspan_is_string(raw));
		len = jsonspan_unescape(raw, out);
		ck_assert_uint_eq(len, cases[i].len);
		ck_assert_mem_eq(out, cases[i].plain, len);
		ck_assert(jsonspan_string_is(raw, cases[i].plain));
		snprintf(longer, sizeof(longer), "%sx", cases[i].plain);
		ck_assert(!jsonspan_string_is(raw, longer));
		if (len > 0) {
			longer[len - 1] = '\0';
			ck_assert(!jsonspan_string_is(raw, longer));
		}
	}
	ck_assert_uint_eq(jsonspan_unescape(span_of("\"a\\u0000b\""), (char[10]){0}), 3);
	ck_assert(!jsonspan_string_is(span_of("\"a\\u0000\""), "a"));
}
END_TEST

START_TEST(only_quoted_text_is_a_string)
{
	ck_assert(!jsonspan_is_string(span_of("1")));
	ck_assert(!jsonspan_is_string(span_of("{}")));
	ck_assert(!jsonspan_is_string((struct span){0}));
	ck_assert(!jsonspan_string_is(span_of("null"), "null"));
	ck_assert(!jsonspan_string_is((struct span){0}, ""));
}
END_TEST

START_TEST(every_character_is_written_and_read_back)
{
	for (uint32_t scalar = 0; scalar <= 0x10FFFF; scalar++) {
		char text[4], back[16], room[16];
		struct buf b = {.data = room, .cap = sizeof(room), .max = sizeof(room) - 1};
		size_t len;

		if (scalar >= 0xD800 && scalar <= 0xDFFF)
			continue;
		len = utf8_encode(scalar, text);
		ASSERT_QUIETLY(jsonspan_append_string(&b, text, len) == 0);
		ASSERT_QUIETLY(jsonspan_check(b.data, b.len, 0, NULL) == JSONSPAN_OK);
		ASSERT_QUIETLY(jsonspan_unescape((struct span){b.data, b.len}, back) == len);
		ASSERT_QUIETLY(memcmp(back, text, len) == 0);
		ASSERT_QUIETLY((b.len == len + 2) == (scalar >= 0x20 && scalar != '"' &&
						      scalar != '\\' && scalar != 0x7F));
	}
}
END_TEST

START_TEST(strings_are_escaped_no_more_than_needed)
{
	struct buf b;

	buf_init(&b, 200);
	ck_assert_int_eq(jsonspan_append_string(&b, "a\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\0z", 16),
			 0);
	ck_assert_str_eq(b.data,
			 "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\xc3\xa9\\u0000z\"");
	buf_done(&b);
}
END_TEST

START_TEST(a_string_past_the_maximum_leaves_the_buffer_unchanged)
{
	struct buf b;

	buf_init(&b, 9);
	ck_assert_int_eq(jsonspan_append_string(&b, "a", 1), 0);
	ck_assert_int_eq(jsonspan_append_string(&b, "\n\n\n", 3), -ENOBUFS);
	ck_assert_int_eq(jsonspan_append_string(&b, "\1", 1), -ENOBUFS);
	ck_assert_str_eq(b.data, "\"a\"");
	ck_assert_int_eq(jsonspan_append_string(&b, "\n\n", 2), 0);
	ck_assert_str_eq(b.data, "\"a\"\"\\n\\n\"");
	buf_done(&b);
}
END_TEST

RUN_TESTS("jsonspan_walk", trim_takes_white_space_off_and_nothing_else,
	  walk_gives_the_very_bytes_of_every_value, scalars_cannot_be_walked,
	  strings_read_as_what_they_mean, only_quoted_text_is_a_string,
	  every_character_is_written_and_read_back, strings_are_escaped_no_more_than_needed,
	  a_string_past_the_maximum_leaves_the_buffer_unchanged)
