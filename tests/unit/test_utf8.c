/* test_utf8: validity against a second, slower reading of RFC 3629, over all scalars and all edges.
 */
#include "common/utf8.h"

#include <string.h>

#include "tests/unit/run.h"

/* Decodes first and judges the scalar afterwards, the other way round than the module. 0 when
 * invalid. */
static size_t slow_sequence(const unsigned char *b, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t need;
	uint32_t scalar;

	if (b[0] < 0x80)
		return 1;
	need = (b[0] & 0xE0) == 0xC0   ? 2
	       : (b[0] & 0xF0) == 0xE0 ? 3
	       : (b[0] & 0xF8) == 0xF0 ? 4
				       : 0;
	if (need == 0 || need > len)
		return 0;
	scalar = b[0] & (0x7FU >> need);
	for (size_t i = 1; i < need; i++) {
		if (b[i] >> 6 != 2)
			return 0;
		scalar = scalar << 6 | (b[i] & 0x3F);
	}
	if (scalar < least[need] || scalar > 0x10FFFF || (scalar >= 0xD800 && scalar <= 0xDFFF))
		return 0;
	return need;
}

static bool slow_valid(const unsigned char *b, size_t len)
{
	for (size_t at = 0, step; at < len; at += step) {
		step = slow_sequence(b + at, len - at);
		if (step == 0)
			return false;
	}
	return true;
}

static bool surrogate(uint32_t scalar)
{
	return scalar >= 0xD800 && scalar <= 0xDFFF;
}

START_TEST(every_scalar_is_valid_and_no_cut_of_it_is)
{
	for (uint32_t scalar = 0; scalar <= 0x10FFFF; scalar++) {
		char text[4];
		size_t len;

		if (surrogate(scalar))
			continue;
		len = utf8_encode(scalar, text);
		ASSERT_QUIETLY(utf8_valid(text, len) && utf8_sequence(text, len) == len);
		for (size_t cut = 1; cut < len; cut++)
			ASSERT_QUIETLY(!utf8_valid(text, cut) && utf8_sequence(text, cut) == 0);
	}
}
END_TEST

START_TEST(encoded_surrogates_and_what_lies_above_are_invalid)
{
	static const char *const bad[] = {
		"\xED\xA0\x80",             /* U+D800 */
		"\xED\xBF\xBF",             /* U+DFFF */
		"\xED\xA0\xBD\xED\xB8\x80", /* CESU-8 */
		"\xF4\x90\x80\x80",         /* U+110000 */
		"\xF5\x80\x80\x80",
		"\xF8\x88\x80\x80\x80",
		"\xFC\x84\x80\x80\x80\x80",
		"\xC0\x80",
		"\xC1\xBF",
		"\xE0\x80\x80",
		"\xE0\x9F\xBF",
		"\xF0\x80\x80\x80", /* overlong */
		"\xF0\x8F\xBF\xBF",
		"\x80",
		"\xBF",
		"\xFE",
		"\xFF",
		"\xFF\xFE",
		"a\x80",
		"\xC3\xA9\xA9",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ck_assert_msg(!utf8_valid(bad[i], strlen(bad[i])), "case %zu", i);
}
END_TEST

START_TEST(every_pair_of_bytes_is_judged_as_by_the_slow_reading)
{
	for (unsigned pair = 0; pair < 0x10000; pair++) {
		unsigned char b[2] = {(unsigned char)(pair >> 8), (unsigned char)pair};

		ASSERT_QUIETLY(utf8_valid((char *)b, 2) == slow_valid(b, 2));
	}
}
END_TEST

START_TEST(every_four_edge_bytes_are_judged_as_by_the_slow_reading)
{
	static const unsigned char edges[] = {
		0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
		0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF,
	};
	size_t n = sizeof(edges);

	for (size_t i = 0; i < n * n * n * n; i++) {
		unsigned char b[4] = {edges[i % n], edges[i / n % n], edges[i / n / n % n],
				      edges[i / n / n / n]};

		ASSERT_QUIETLY(utf8_valid((char *)b, 4) == slow_valid(b, 4));
	}
}
END_TEST

START_TEST(a_bad_byte_is_found_at_every_place_of_a_long_text)
{
	char text[64];

	for (size_t len = 1; len <= sizeof(text); len++) {
		memset(text, 'a', sizeof(text));
		ck_assert(utf8_valid(text, len));
		for (size_t at = 0; at < len; at++) {
			text[at] = (char)0xFF;
			ck_assert(!utf8_valid(text, len));
			ck_assert(utf8_valid(text, at));
			text[at] = 'a';
		}
	}
	ck_assert(utf8_valid("", 0));
	ck_assert_uint_eq(utf8_sequence("a", 0), 0);
}
END_TEST

START_TEST(controls_are_c0_del_and_c1_and_nothing_else)
{
	for (uint32_t scalar = 0; scalar <= 0x10FFFF; scalar++) {
		char text[6] = "a";
		size_t len;

		if (surrogate(scalar))
			continue;
		len = 1 + utf8_encode(scalar, text + 1);
		text[len++] = 'b';
		ASSERT_QUIETLY(utf8_has_control(text, len) ==
			       (scalar < 0x20 || (scalar >= 0x7F && scalar < 0xA0)));
	}
	ck_assert(!utf8_has_control("", 0));
	ck_assert(utf8_has_control("a\xc2\x85", 3)); /* the last character */
}
END_TEST

RUN_TESTS("utf8", every_scalar_is_valid_and_no_cut_of_it_is,
	  encoded_surrogates_and_what_lies_above_are_invalid,
	  every_pair_of_bytes_is_judged_as_by_the_slow_reading,
	  every_four_edge_bytes_are_judged_as_by_the_slow_reading,
	  a_bad_byte_is_found_at_every_place_of_a_long_text,
	  controls_are_c0_del_and_c1_and_nothing_else)
