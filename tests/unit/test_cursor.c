/* test_cursor: one spelling an id, and their order. */
#include "common/cursor.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/run.h"

START_TEST(only_the_one_spelling_of_an_id_is_read)
{
	static const struct {
		const char *text;
		int rc;
		struct event_id id;
	} cases[] = {
		{"0-0", 0, {0, 0}},
		{"1764000000000-0", 0, {1764000000000, 0}},
		{"1764000000000-1023", 0, {1764000000000, 1023}},
		{"99999999999999-999999999", 0, {99999999999999, 999999999}},
		{"100000000000000-0", -EINVAL, {0}}, /* 15 digits */
		{"1-1000000000", -EINVAL, {0}},      /* 10 digits */
		{"99999999999999999999999-0", -EINVAL, {0}},
		{"", -EINVAL, {0}},
		{"-", -EINVAL, {0}},
		{"1", -EINVAL, {0}},
		{"1-", -EINVAL, {0}},
		{"-1", -EINVAL, {0}},
		{"01-0", -EINVAL, {0}},
		{"1-00", -EINVAL, {0}},
		{"1-01", -EINVAL, {0}},
		{"00-0", -EINVAL, {0}},
		{"1--1", -EINVAL, {0}},
		{"1-2-3", -EINVAL, {0}},
		{"+1-0", -EINVAL, {0}},
		{"1-+0", -EINVAL, {0}},
		{" 1-0", -EINVAL, {0}},
		{"1-0 ", -EINVAL, {0}},
		{"1-0\n", -EINVAL, {0}},
		{"1 - 0", -EINVAL, {0}},
		{"0x1-0", -EINVAL, {0}},
		{"1.5-0", -EINVAL, {0}},
		{"1a2b3c4d-1760000000000-7", -EINVAL, {0}}, /* an id of the Python library */
		{"\"1-0\"", -EINVAL, {0}},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct event_id id = {4711, 4712};
		int rc = event_id_parse(cases[i].text, strlen(cases[i].text), &id);

		ck_assert_msg(rc == cases[i].rc, "\"%s\" gave %d", cases[i].text, rc);
		ck_assert_uint_eq(id.ms, rc == 0 ? cases[i].id.ms : 4711);
		ck_assert_uint_eq(id.n, rc == 0 ? cases[i].id.n : 4712);
	}
	ck_assert_int_eq(event_id_parse("1-0\0", 4, &(struct event_id){0}), -EINVAL);
}
END_TEST

START_TEST(no_prefix_of_an_id_reads_past_its_end)
{
	static const char text[] = "1764000000000-1023";

	for (size_t len = 0; len < sizeof(text); len++) {
		struct event_id id;
		bool whole = len > 14; /* a digit or more behind the dash */

		ck_assert_int_eq(event_id_parse(text, len, &id), whole ? 0 : -EINVAL);
		if (whole)
			ck_assert_uint_eq(id.n, len == 15   ? 1
						: len == 16 ? 10
						: len == 17 ? 102
							    : 1023);
	}
}
END_TEST

START_TEST(written_ids_are_read_back_and_fit)
{
	static const struct event_id ids[] = {
		{0, 0},
		{0, 1},
		{1, 0},
		{9, 9},
		{10, 10},
		{1764000000000, 1023},
		{99999999999999, 999999999},
	};

	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		char text[EVENT_ID_MAX_BYTES + 1];
		struct event_id back;
		size_t len = event_id_format(ids[i], text);

		ck_assert_uint_le(len, EVENT_ID_MAX_BYTES);
		ck_assert_uint_eq(strlen(text), len);
		ck_assert_int_eq(event_id_parse(text, len, &back), 0);
		ck_assert_int_eq(event_id_compare(back, ids[i]), 0);
		ck_assert(event_id_is_zero(ids[i]) == (i == 0));
	}
}
END_TEST

START_TEST(milliseconds_outweigh_the_number_behind_them)
{
	static const struct event_id rising[] = {
		{0, 0},
		{0, 1},
		{0, 1023},
		{1, 0},
		{1, 1},
		{2, 0},
		{1764000000000, 0},
		{1764000000000, 9},
		{1764000000000, 10},
		{1764000000001, 0},
	};

	for (size_t i = 0; i < COUNT_OF(rising); i++) {
		for (size_t k = 0; k < COUNT_OF(rising); k++) {
			int order = event_id_compare(rising[i], rising[k]);

			ck_assert_int_eq((order > 0) - (order < 0), (i > k) - (i < k));
		}
	}
}
END_TEST

RUN_TESTS("cursor", only_the_one_spelling_of_an_id_is_read, no_prefix_of_an_id_reads_past_its_end,
	  written_ids_are_read_back_and_fit, milliseconds_outweigh_the_number_behind_them)
