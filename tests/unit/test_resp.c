/* test_resp: commands for Redis, whatever stands in their words. */
#include "common/resp.h"

#include <errno.h>

#include "common/buf.h"
#include "tests/unit/run.h"

/* SET, with words that look like protocol, and a number. */
static int write_all(struct buf *b)
{
	int rc = resp_command(b, 4);

	if (rc == 0)
		rc = resp_text(b, "SET");
	if (rc == 0)
		rc = resp_word(b, (struct span){"a\r\n$4\r\n\0", 8});
	if (rc == 0)
		rc = resp_text(b, "");
	return rc < 0 ? rc : resp_number(b, 18446744073709551615u);
}

START_TEST(words_are_counted_and_never_read_as_protocol)
{
	static const char expected[] = "*4\r\n$3\r\nSET\r\n$8\r\na\r\n$4\r\n\0\r\n$0\r\n\r\n$20\r\n"
				       "18446744073709551615\r\n";
	struct buf b;

	buf_init(&b, 1024);
	ck_assert_int_eq(write_all(&b), 0);
	ck_assert_uint_eq(b.len, sizeof(expected) - 1);
	ck_assert_mem_eq(b.data, expected, b.len);
	buf_done(&b);
}
END_TEST

START_TEST(too_little_room_is_told)
{
	struct buf b;
	size_t max = 0;

	for (;; max++) {
		buf_init(&b, max);
		int rc = write_all(&b);
		buf_done(&b);
		if (rc == 0)
			break;
		ck_assert_int_eq(rc, -ENOBUFS);
	}
	ck_assert_uint_eq(max, 60);
}
END_TEST

RUN_TESTS("resp", words_are_counted_and_never_read_as_protocol, too_little_room_is_told)
