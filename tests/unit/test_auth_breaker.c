/* test_auth_breaker: an auth URL that fails again and again is left alone, but for one call a
 * second. */
#include "streamer/auth_breaker.h"

#include "tests/unit/run.h"

static void fail_times(struct auth_breaker *b, unsigned times)
{
	while (times-- > 0)
		auth_breaker_note(b, true, 5);
}

START_TEST(ten_failures_in_a_row_open_it_and_no_nine)
{
	struct auth_breaker b = {0};

	fail_times(&b, 9);
	ck_assert(!b.open && auth_breaker_lets(&b, 5));
	ck_assert_int_eq(auth_breaker_note(&b, false, 5), AUTH_BREAKER_AS_BEFORE);
	fail_times(&b, 9);
	ck_assert(!b.open && auth_breaker_lets(&b, 5));
	ck_assert_int_eq(auth_breaker_note(&b, true, 5), AUTH_BREAKER_OPENED);
	ck_assert(b.open);
	ck_assert_int_eq(auth_breaker_note(&b, true, 5), AUTH_BREAKER_AS_BEFORE);
}
END_TEST

START_TEST(while_it_is_open_one_call_a_second_is_let_through)
{
	struct auth_breaker b = {0};

	fail_times(&b, 10);
	ck_assert(!auth_breaker_lets(&b, 5) && !auth_breaker_lets(&b, 5.99));
	ck_assert(auth_breaker_lets(&b, 6) && !auth_breaker_lets(&b, 6));
	auth_breaker_note(&b, true, 6.5);
	ck_assert(!auth_breaker_lets(&b, 6.99));
	ck_assert(auth_breaker_lets(&b, 100) && !auth_breaker_lets(&b, 100.9));
}
END_TEST

START_TEST(the_first_answer_closes_it_and_counting_begins_anew)
{
	struct auth_breaker b = {0};

	fail_times(&b, 12);
	ck_assert_int_eq(auth_breaker_note(&b, false, 7), AUTH_BREAKER_CLOSED);
	for (int i = 0; i < 3; i++)
		ck_assert(auth_breaker_lets(&b, 7));
	fail_times(&b, 9);
	ck_assert(!b.open);
	fail_times(&b, 1);
	ck_assert(b.open);
}
END_TEST

RUN_TESTS("auth_breaker", ten_failures_in_a_row_open_it_and_no_nine,
	  while_it_is_open_one_call_a_second_is_let_through,
	  the_first_answer_closes_it_and_counting_begins_anew)
