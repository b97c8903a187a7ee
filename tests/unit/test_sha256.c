/* test_sha256: known digests, and their text form. */
#include "publisher/sha256.h"

#include <errno.h>

#include "tests/unit/run.h"

#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

START_TEST(digests_are_those_of_the_standard)
{
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_HEX_BYTES + 1];

	ck_assert_int_eq(sha256(span_of("abc"), (struct span){0}, digest), 0);
	sha256_format(digest, hex);
	ck_assert_str_eq(hex, OF_ABC);
	ck_assert_int_eq(sha256(span_of(""), (struct span){0}, digest), 0);
	sha256_format(digest, hex);
	ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(two_parts_are_not_their_concatenation)
{
	uint8_t joined[SHA256_BYTES], split[SHA256_BYTES], other[SHA256_BYTES];

	ck_assert_int_eq(sha256((struct span){"ab\0c", 4}, (struct span){0}, joined), 0);
	ck_assert_int_eq(sha256(span_of("ab"), span_of("c"), split), 0);
	ck_assert_mem_eq(joined, split, SHA256_BYTES);
	ck_assert_int_eq(sha256(span_of("a"), span_of("bc"), other), 0);
	ck_assert_mem_ne(split, other, SHA256_BYTES);
	ck_assert_int_eq(sha256(span_of("ab"), span_of(""), split), 0);
	ck_assert_int_eq(sha256(span_of("ab"), (struct span){0}, other), 0);
	ck_assert_mem_ne(split, other, SHA256_BYTES);
}
END_TEST

START_TEST(text_is_read_back_and_nothing_else_is)
{
	static const char *const bad[] = {
		"",
		(OF_ABC "0"),
		("g" OF_ABC),
		"ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		" a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
	};
	uint8_t digest[SHA256_BYTES], parsed[SHA256_BYTES] = {1};
	char upper[] = OF_ABC;

	ck_assert_int_eq(sha256(span_of("abc"), (struct span){0}, digest), 0);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		ck_assert_int_eq(sha256_parse(span_of(bad[i]), parsed), -EINVAL);
		ck_assert_uint_eq(parsed[0], 1);
	}
	ck_assert_int_eq(sha256_parse(span_of(OF_ABC), parsed), 0);
	ck_assert_mem_eq(parsed, digest, SHA256_BYTES);
	for (char *at = upper; *at; at++)
		*at = *at >= 'a' ? (char)(*at - 32) : *at;
	memset(parsed, 0, sizeof(parsed));
	ck_assert_int_eq(sha256_parse(span_of(upper), parsed), 0);
	ck_assert_mem_eq(parsed, digest, SHA256_BYTES);
}
END_TEST

RUN_TESTS("sha256", digests_are_those_of_the_standard, two_parts_are_not_their_concatenation,
	  text_is_read_back_and_nothing_else_is)
