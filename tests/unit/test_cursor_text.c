/* test_cursor_text: a cursor has one spelling; anything else is none. */
#include "streamer/cursor_text.h"

#include <string.h>
#include "common/buf.h"
#include "tests/unit/run.h"

START_TEST(each_form_is_valid_where_it_belongs_alone)
{
	static const struct {
		const char *text;
		bool single, cluster;
	} cases[] = {
		{"1764000000000-4", true, false},
		{"0-0", true, false},
		{"3:1764000000000-4", false, true},
		{"0:1-0,1:2-0,1023:3-1", false, true},
		{"1:1-0,0:2-0", false, false},
		{"1:1-0,1:2-0", false, false},
		{"1024:1-0", false, false},
		{"01:1-0", false, false},
		{":1-0", false, false},
		{"1:", false, false},
		{"1:1-0,", false, false},
		{",1:1-0", false, false},
		{"1:1-0,,2:1-0", false, false},
		{"1:1-0, 2:1-0", false, false},
		{"1:01-0", false, false},
		{"-1:1-0", false, false},
		{"1:1-0;2:1-0", false, false},
		{"", false, false},
		{"x", false, false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span text = span_of(cases[i].text);

		ck_assert_msg(cursor_text_valid(text, false) == cases[i].single, "%s", text.at);
		ck_assert_msg(cursor_text_valid(text, true) == cases[i].cluster, "%s", text.at);
	}
}
END_TEST

START_TEST(every_prefix_and_every_spoilt_byte_is_read_to_its_end_and_no_further)
{
	static const char whole[] = "0:1764000000000-4,7:1764000000007-0";
	char *copy;

	for (size_t len = 0; len < sizeof(whole); len++) {
		for (size_t spoilt = 0; spoilt < len; spoilt++) {
			struct event_id id;

			copy = malloc(len); /* a sanitizer sees a byte too many */
			ck_assert_ptr_nonnull(copy);
			memcpy(copy, whole, len);
			copy[spoilt] = '\0';
			ck_assert(!cursor_text_valid((struct span){copy, len}, true));
			cursor_text_find((struct span){copy, len}, true, 7, &id);
			free(copy);
		}
	}
}
END_TEST

START_TEST(positions_are_found_by_their_partition)
{
	struct span text = span_of("0:1-2,7:3-4");
	struct event_id id = {9, 9};

	ck_assert(cursor_text_find(text, true, 7, &id) && id.ms == 3 && id.n == 4);
	ck_assert(cursor_text_find(text, true, 0, &id) && id.ms == 1 && id.n == 2);
	ck_assert(!cursor_text_find(text, true, 3, &id) && id.ms == 1);
	ck_assert(cursor_text_find(span_of("5-6"), false, 0, &id) && id.ms == 5);
}
END_TEST

START_TEST(what_is_written_is_valid_and_found_again)
{
	struct event_id id;
	struct buf b;

	buf_init(&b, 100);
	ck_assert_int_eq(cursor_text_append(&b, true, 0, (struct event_id){1764000000000, 4}), 0);
	ck_assert_int_eq(cursor_text_append(&b, true, 1023, (struct event_id){7, 1023}), 0);
	ck_assert_str_eq(b.data, "0:1764000000000-4,1023:7-1023");
	ck_assert(cursor_text_valid((struct span){b.data, b.len}, true));
	ck_assert(cursor_text_find((struct span){b.data, b.len}, true, 1023, &id) && id.n == 1023);
	buf_clear(&b);
	ck_assert_int_eq(cursor_text_append(&b, false, 0, (struct event_id){5, 6}), 0);
	ck_assert_str_eq(b.data, "5-6");
	buf_done(&b);
}
END_TEST

RUN_TESTS("cursor_text", each_form_is_valid_where_it_belongs_alone,
	  every_prefix_and_every_spoilt_byte_is_read_to_its_end_and_no_further,
	  positions_are_found_by_their_partition, what_is_written_is_valid_and_found_again)
