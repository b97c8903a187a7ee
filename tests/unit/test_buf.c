/* test_buf: the buffer grows as asked, never past its maximum, and is unchanged by what fails. */
#include "common/buf.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/run.h"

START_TEST(fresh_buffer_owns_no_memory)
{
	struct buf b;

	buf_init(&b, 10);
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_uint_eq(b.max, 10);
	buf_clear(&b);
	buf_consume(&b, 0);
	buf_done(&b);
}
END_TEST

START_TEST(appended_bytes_stand_in_order_and_end_in_nul)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_int_eq(buf_append(&b, "a\0b", 3), 0);
	ck_assert_int_eq(buf_append_str(&b, "cd"), 0);
	ck_assert_int_eq(buf_append_char(&b, 'e'), 0);
	ck_assert_int_eq(buf_printf(&b, "-%d-%s", 42, "f"), 0);
	ck_assert_int_eq(buf_printf(&b, "%s", ""), 0);
	ck_assert_uint_eq(b.len, 11);
	ck_assert_mem_eq(b.data, "a\0bcde-42-f", 12);
	buf_done(&b);
}
END_TEST

START_TEST(empty_append_gives_an_empty_text)
{
	struct buf b;

	buf_init(&b, 0);
	ck_assert_int_eq(buf_append(&b, NULL, 0), 0);
	ck_assert_str_eq(b.data, "");
	ck_assert_int_eq(buf_append_char(&b, 'x'), -ENOBUFS);
	buf_done(&b);
}
END_TEST

START_TEST(maximum_can_be_reached_and_never_passed)
{
	for (size_t max = 1; max < 300; max++) {
		struct buf b;

		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			ck_assert_int_eq(buf_append_char(&b, 'x'), 0);
		ck_assert_uint_eq(b.len, max);
		ck_assert_uint_le(b.cap, max + 1);
		ck_assert_int_eq(buf_append_char(&b, 'y'), -ENOBUFS);
		ck_assert_int_eq(buf_printf(&b, "%s", "y"), -ENOBUFS);
		ck_assert_uint_eq(b.len, max);
		ck_assert_uint_eq(strlen(b.data), max);
		buf_done(&b);
	}
}
END_TEST

START_TEST(refused_append_leaves_the_buffer_unchanged)
{
	struct buf b;

	buf_init(&b, 8);
	ck_assert_int_eq(buf_append_str(&b, "12345"), 0);
	ck_assert_int_eq(buf_append_str(&b, "6789"), -ENOBUFS);
	ck_assert_int_eq(buf_printf(&b, "%s", "6789"), -ENOBUFS);
	ck_assert_str_eq(b.data, "12345");
	ck_assert_int_eq(buf_append_str(&b, "678"), 0);
	ck_assert_str_eq(b.data, "12345678");
	buf_done(&b);
}
END_TEST

START_TEST(sizes_do_not_wrap)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	ck_assert_int_eq(buf_append_str(&b, "abc"), 0);
	errno = 0;
	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX));
	ck_assert_int_eq(errno, ENOBUFS);
	ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX - 3));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_str_eq(b.data, "abc");
	buf_done(&b);
}
END_TEST

START_TEST(reserved_room_holds_what_was_asked_and_a_nul)
{
	for (size_t more = 0; more < 200; more++) {
		struct buf b;
		char *at;

		buf_init(&b, 400);
		ck_assert_int_eq(buf_append_str(&b, "head"), 0);
		at = buf_reserve(&b, more);
		ck_assert_ptr_eq(at, b.data + 4);
		memset(at, 'x', more + 1);
		b.len += more;
		ck_assert_int_eq(buf_append_str(&b, "tail"), 0);
		ck_assert_uint_eq(strlen(b.data), more + 8);
		buf_done(&b);
	}
}
END_TEST

START_TEST(consuming_any_number_of_bytes_keeps_the_rest)
{
	static const char text[] = "abcdef";

	for (size_t n = 0; n < sizeof(text); n++) {
		struct buf b;

		buf_init(&b, 100);
		ck_assert_int_eq(buf_append_str(&b, text), 0);
		buf_consume(&b, n);
		ck_assert_uint_eq(b.len, 6 - n);
		ck_assert_str_eq(b.data, text + n);
		buf_done(&b);
	}
}
END_TEST

START_TEST(clear_keeps_memory_and_done_starts_afresh)
{
	struct buf b;
	size_t cap;

	buf_init(&b, 100);
	ck_assert_int_eq(buf_append_str(&b, "abcdef"), 0);
	cap = b.cap;
	buf_clear(&b);
	ck_assert_str_eq(b.data, "");
	ck_assert_uint_eq(b.len, 0);
	ck_assert_uint_eq(b.cap, cap);
	buf_done(&b);
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.cap, 0);
	ck_assert_int_eq(buf_append_str(&b, "again"), 0);
	ck_assert_str_eq(b.data, "again");
	ck_assert_uint_eq(b.max, 100);
	buf_done(&b);
}
END_TEST

START_TEST(appending_byte_by_byte_allocates_rarely)
{
	struct buf b;
	size_t last = 0, grown = 0;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < (1 << 20); i++) {
		ASSERT_QUIETLY(buf_append_char(&b, (char)i) == 0);
		grown += b.cap != last;
		last = b.cap;
	}
	ck_assert_uint_le(grown, 20);
	for (size_t i = 0; i < b.len; i++)
		ASSERT_QUIETLY(b.data[i] == (char)i);
	buf_done(&b);
}
END_TEST

RUN_TESTS("buf", fresh_buffer_owns_no_memory, appended_bytes_stand_in_order_and_end_in_nul,
	  empty_append_gives_an_empty_text, maximum_can_be_reached_and_never_passed,
	  refused_append_leaves_the_buffer_unchanged, sizes_do_not_wrap,
	  reserved_room_holds_what_was_asked_and_a_nul,
	  consuming_any_number_of_bytes_keeps_the_rest, clear_keeps_memory_and_done_starts_afresh,
	  appending_byte_by_byte_allocates_rarely)
