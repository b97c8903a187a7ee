/* test_urlenc: form pairs as they stand, percent-decoding that guesses nothing. */
#include "common/urlenc.h"

#include <errno.h>

#include "common/buf.h"
#include "tests/unit/run.h"

/* Writes the pairs of text as [name=value] or [name] one behind the other. */
static void describe_pairs(const char *text, size_t len, struct buf *out)
{
	struct urlenc_walk walk;
	struct span name, value;

	urlenc_walk(&walk, text, len);
	while (urlenc_next(&walk, &name, &value)) {
		ck_assert_int_eq(buf_printf(out, "[%.*s", (int)name.len, name.at), 0);
		if (value.at)
			ck_assert_int_eq(buf_printf(out, "=%.*s", (int)value.len, value.at), 0);
		ck_assert_int_eq(buf_append_char(out, ']'), 0);
	}
	ck_assert_int_eq(buf_append_char(out, '.'), 0);
}

START_TEST(pairs_come_as_they_stand)
{
	static const struct {
		const char *text, *pairs;
	} cases[] = {
		{"", "."},
		{"&", "."},
		{"&&&", "."},
		{"a=b", "[a=b]."},
		{"a=b&c=d", "[a=b][c=d]."},
		{"&a=b&&c=d&", "[a=b][c=d]."},
		{"a", "[a]."},
		{"a=", "[a=]."},
		{"=", "[=]."},
		{"=b", "[=b]."},
		{"a=b=c", "[a=b=c]."},
		{"a&b=", "[a][b=]."},
		{"a;b=c", "[a;b=c]."},
		{"%26=%3D&x=1", "[%26=%3D][x=1]."},
		{"topic[]=a&topic[0]=b", "[topic[]=a][topic[0]=b]."},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf out;

		buf_init(&out, 1000);
		describe_pairs(cases[i].text, strlen(cases[i].text), &out);
		ck_assert_str_eq(out.data, cases[i].pairs);
		buf_done(&out);
	}
}
END_TEST

START_TEST(walk_over_nothing_ends_at_once)
{
	struct urlenc_walk walk;
	struct span name, value;

	urlenc_walk(&walk, NULL, 0);
	ck_assert(!urlenc_next(&walk, &name, &value));
}
END_TEST

START_TEST(every_prefix_is_walked_within_its_length)
{
	static const char text[] = "topic=a&topic=b%2Cc&&data=x=y&last";

	for (size_t len = 0; len <= strlen(text); len++) {
		char *copy = malloc(len ? len : 1); /* sanitizers see a step behind it */
		struct urlenc_walk walk;
		struct span name, value;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, text, len);
		urlenc_walk(&walk, copy, len);
		while (urlenc_next(&walk, &name, &value)) {
			ck_assert(name.at >= copy && name.at + name.len <= copy + len);
			if (value.at)
				ck_assert(value.at + value.len <= copy + len);
		}
		free(copy);
	}
}
END_TEST

START_TEST(escapes_are_decoded_or_refused)
{
	static const struct {
		const char *in;
		bool plus;
		long len;
		const char *out;
	} cases[] = {
		{"", true, 0, ""},
		{"abc", true, 3, "abc"},
		{"a+b", true, 3, "a b"},
		{"a+b", false, 3, "a+b"},
		{"a%2Bb", true, 3, "a+b"},
		{"%41%42", true, 2, "AB"},
		{"%c3%A9", true, 2, "\xc3\xa9"},
		{"%00", true, 1, "\0"},
		{"%0d%0a", true, 2, "\r\n"},
		{"%25", true, 1, "%"},
		{"%2541", true, 3, "%41"}, /* once only */
		{"%ff", true, 1, "\xff"},
		{"%", true, -EINVAL, ""},
		{"%4", true, -EINVAL, ""},
		{"a%", true, -EINVAL, ""},
		{"a%4", true, -EINVAL, ""},
		{"%zz", true, -EINVAL, ""},
		{"%4g", true, -EINVAL, ""},
		{"%g4", true, -EINVAL, ""},
		{"% 41", true, -EINVAL, ""},
		{"%+1", true, -EINVAL, ""},
		{"%u0041", true, -EINVAL, ""},
		{"%%41", true, -EINVAL, ""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[16];
		long len = urlenc_decode(span_of(cases[i].in), cases[i].plus, out);

		ck_assert_msg(len == cases[i].len, "\"%s\" gave %ld", cases[i].in, len);
		if (len > 0)
			ck_assert_mem_eq(out, cases[i].out, (size_t)len);
	}
}
END_TEST

START_TEST(escape_is_not_read_past_the_end)
{
	char out[4];

	ck_assert_int_eq(urlenc_decode((struct span){"%41", 2}, true, out), -EINVAL);
	ck_assert_int_eq(urlenc_decode((struct span){"%41", 1}, true, out), -EINVAL);
	ck_assert_int_eq(urlenc_decode((struct span){"a%41", 1}, true, out), 1);
}
END_TEST

START_TEST(every_byte_is_encoded_and_decoded_back_in_place)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool stays = memchr(plain, c, sizeof(plain) - 1) != NULL;
		struct buf b;

		buf_init(&b, 3);
		ck_assert_int_eq(urlenc_append(&b, &byte, 1), 0);
		ck_assert_uint_eq(b.len, stays ? 1 : 3);
		ck_assert_uint_eq(strlen(b.data), b.len);
		ck_assert_int_eq(urlenc_decode((struct span){b.data, b.len}, true, b.data), 1);
		ck_assert(b.data[0] == byte);
		buf_done(&b);
	}
}
END_TEST

START_TEST(encoding_past_the_maximum_leaves_the_buffer_unchanged)
{
	struct buf b;

	buf_init(&b, 8);
	ck_assert_int_eq(urlenc_append(&b, "a/b", 3), 0);
	ck_assert_str_eq(b.data, "a%2Fb");
	ck_assert_int_eq(urlenc_append(&b, "//", 2), -ENOBUFS);
	ck_assert_int_eq(urlenc_append(&b, "////////////////", 16), -ENOBUFS);
	ck_assert_str_eq(b.data, "a%2Fb");
	ck_assert_int_eq(urlenc_append(&b, "/", 1), 0);
	ck_assert_str_eq(b.data, "a%2Fb%2F");
	buf_done(&b);
}
END_TEST

RUN_TESTS("urlenc", pairs_come_as_they_stand, walk_over_nothing_ends_at_once,
	  every_prefix_is_walked_within_its_length, escapes_are_decoded_or_refused,
	  escape_is_not_read_past_the_end, every_byte_is_encoded_and_decoded_back_in_place,
	  encoding_past_the_maximum_leaves_the_buffer_unchanged)
