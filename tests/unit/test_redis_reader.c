/* test_redis_reader: replies come out as hiredis means them, wherever the bytes are cut. */
#include "streamer/redis_reader.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/run.h"

static const char wire[] = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nhello\r\n"
			   ":42\r\n"
			   "$-1\r\n"
			   "*2\r\n*-1\r\n*1\r\n+OK\r\n"
			   "-ERR no\r\n";

static void check_reply(const redisReply *r, unsigned i)
{
	switch (i) {
	case 0:
		ck_assert(r->type == REDIS_REPLY_ARRAY && r->elements == 3);
		ck_assert(r->element[2]->len == 5 && strcmp(r->element[2]->str, "hello") == 0);
		ck_assert_str_eq(r->element[0]->str, "message");
		break;
	case 1: ck_assert(r->type == REDIS_REPLY_INTEGER && r->integer == 42); break;
	case 2: ck_assert_int_eq(r->type, REDIS_REPLY_NIL); break;
	case 3:
		ck_assert_uint_eq(r->elements, 2);
		ck_assert_int_eq(r->element[0]->type, REDIS_REPLY_NIL);
		ck_assert_int_eq(r->element[1]->element[0]->type, REDIS_REPLY_STATUS);
		ck_assert_str_eq(r->element[1]->element[0]->str, "OK");
		break;
	default: ck_assert(r->type == REDIS_REPLY_ERROR && strcmp(r->str, "ERR no") == 0);
	}
}

START_TEST(replies_are_whole_wherever_the_bytes_are_cut)
{
	size_t len = sizeof(wire) - 1;

	for (size_t cut = 1; cut <= len; cut++) {
		struct redis_reader *r = redis_reader_new();
		unsigned n = 0;

		for (size_t at = 0; at < len; at += cut) {
			struct redisReply *reply;
			size_t piece = len - at < cut ? len - at : cut;

			ck_assert_int_eq(redis_reader_feed(r, wire + at, piece), 0);
			while (redis_reader_next(r, &reply) == 0 && reply)
				check_reply(reply, n++);
		}
		ck_assert_uint_eq(n, 5);
		ck_assert_uint_eq(redis_reader_left(r), 0);
		redis_reader_free(r);
	}
}
END_TEST

START_TEST(a_large_reply_takes_what_it_needs_and_small_ones_after_it_come_right)
{
	const size_t large = 1000000;
	char *bytes = malloc(large + 64);
	struct redis_reader *r = redis_reader_new();
	struct redisReply *reply;
	int head = sprintf(bytes, "$%zu\r\n", large);

	memset(bytes + head, 'x', large);
	memcpy(bytes + head + large, "\r\n", 2);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(redis_reader_feed(r, bytes, (size_t)head + large + 2), 0);
		ck_assert_int_eq(redis_reader_next(r, &reply), 0);
		ck_assert(reply && reply->len == large && reply->str[large - 1] == 'x');
		ck_assert_int_eq(redis_reader_feed(r, ":7\r\n", 4), 0);
		ck_assert_int_eq(redis_reader_next(r, &reply), 0);
		ck_assert(reply && reply->integer == 7);
	}
	redis_reader_free(r);
	free(bytes);
}
END_TEST

START_TEST(what_is_no_reply_and_an_array_without_bounds_are_refused)
{
	static const char *const cases[] = {"?\r\n", "$x\r\n", "*1000000000\r\n", "*65537\r\n"};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct redis_reader *r = redis_reader_new();
		struct redisReply *reply;

		ck_assert_int_eq(redis_reader_feed(r, cases[i], strlen(cases[i])), 0);
		ck_assert_int_ne(redis_reader_next(r, &reply), 0);
		redis_reader_free(r);
	}
}
END_TEST

START_TEST(a_reply_that_is_half_there_when_the_reader_ends_is_no_leak)
{
	struct redis_reader *r = redis_reader_new();
	struct redisReply *reply;

	ck_assert_int_eq(redis_reader_feed(r, wire, 30), 0);
	ck_assert_int_eq(redis_reader_next(r, &reply), 0);
	ck_assert_ptr_null(reply);
	redis_reader_free(r);
	redis_reader_free(NULL);
}
END_TEST

RUN_TESTS("redis_reader", replies_are_whole_wherever_the_bytes_are_cut,
	  a_large_reply_takes_what_it_needs_and_small_ones_after_it_come_right,
	  what_is_no_reply_and_an_array_without_bounds_are_refused,
	  a_reply_that_is_half_there_when_the_reader_ends_is_no_leak)
