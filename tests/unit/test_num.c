/* test_num: only a whole text of digits in range is a number. */
#include "common/num.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/run.h"

START_TEST(text_is_a_number_whole_or_not_at_all)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		int rc;
		uint64_t value;
	} cases[] = {
		{"0", 0, UINT64_MAX, 0, 0},
		{"7", 0, UINT64_MAX, 0, 7},
		{"007", 0, UINT64_MAX, 0, 7},
		{"00000000000000000000000000000012", 0, UINT64_MAX, 0, 12},
		{"18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", 0, UINT64_MAX, -ERANGE, 0},
		{"18446744073709551620", 0, UINT64_MAX, -ERANGE, 0},
		{"99999999999999999999", 0, UINT64_MAX, -ERANGE, 0},
		{"184467440737095516150", 0, UINT64_MAX, -ERANGE, 0},
		{"36893488147419103232", 0, UINT64_MAX, -ERANGE, 0}, /* 2^65: wraps to 0 */
		{"36893488147419103239", 0, 10, -ERANGE, 0},
		{"999999999999999999999999x", 0, UINT64_MAX, -EINVAL, 0},
		{"5", 5, 10, 0, 5},
		{"10", 5, 10, 0, 10},
		{"4", 5, 10, -ERANGE, 0},
		{"11", 5, 10, -ERANGE, 0},
		{"", 0, UINT64_MAX, -EINVAL, 0},
		{" 1", 0, UINT64_MAX, -EINVAL, 0},
		{"1 ", 0, UINT64_MAX, -EINVAL, 0},
		{"1\n", 0, UINT64_MAX, -EINVAL, 0},
		{"+1", 0, UINT64_MAX, -EINVAL, 0},
		{"-1", 0, UINT64_MAX, -EINVAL, 0},
		{"-0", 0, UINT64_MAX, -EINVAL, 0},
		{"1.0", 0, UINT64_MAX, -EINVAL, 0},
		{"1e3", 0, UINT64_MAX, -EINVAL, 0},
		{"0x10", 0, UINT64_MAX, -EINVAL, 0},
		{"1,000", 0, UINT64_MAX, -EINVAL, 0},
		{"/", 0, UINT64_MAX, -EINVAL, 0},
		{":", 0, UINT64_MAX, -EINVAL, 0},
		{"\xd9\xa1", 0, UINT64_MAX, -EINVAL, 0}, /* ARABIC-INDIC DIGIT ONE */
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t value = 4711;
		int rc = num_parse_u64(cases[i].text, strlen(cases[i].text), cases[i].min,
				       cases[i].max, &value);

		ck_assert_msg(rc == cases[i].rc, "\"%s\" gave %d", cases[i].text, rc);
		ck_assert_uint_eq(value, rc == 0 ? cases[i].value : 4711);
	}
}
END_TEST

START_TEST(length_and_not_nul_ends_the_text)
{
	uint64_t value;

	ck_assert_int_eq(num_parse_u64("123", 2, 0, 1000, &value), 0);
	ck_assert_uint_eq(value, 12);
	ck_assert_int_eq(num_parse_u64("12\0", 3, 0, 1000, &value), -EINVAL);
}
END_TEST

START_TEST(every_power_of_two_and_ten_is_written_and_read_back)
{
	uint64_t ten = 1;

	for (int i = 0; i < 64; i++) {
		uint64_t around[] = {(UINT64_C(1) << i) - 1, UINT64_C(1) << i, ten - 1, ten, ~ten};

		for (size_t k = 0; k < COUNT_OF(around); k++) {
			char text[NUM_U64_DIGITS];
			uint64_t back = 0;
			size_t len = num_format_u64(around[k], text);

			ck_assert_uint_le(len, NUM_U64_DIGITS);
			ck_assert(len == 1 || text[0] != '0');
			ck_assert_int_eq(num_parse_u64(text, len, 0, UINT64_MAX, &back), 0);
			ck_assert_uint_eq(back, around[k]);
		}
		ten = i < 19 ? ten * 10 : 1;
	}
}
END_TEST

RUN_TESTS("num", text_is_a_number_whole_or_not_at_all, length_and_not_nul_ends_the_text,
	  every_power_of_two_and_ten_is_written_and_read_back)
