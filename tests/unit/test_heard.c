/* test_heard: up to where a worker has heard everything. */
#include "streamer/heard.h"

#include <string.h>

#include "tests/unit/run.h"

static struct event_id id_of(uint64_t ms)
{
	return (struct event_id){ms, 0};
}

START_TEST(an_event_says_that_all_before_it_have_come_and_not_yet_that_it_came_whole)
{
	struct heard h = {.open = false};

	heard_event(&h, span_of("a"), id_of(5));
	ck_assert_uint_eq(h.through.ms, 0);
	heard_event(&h, span_of("b"), id_of(5)); /* its second topic */
	ck_assert_uint_eq(h.through.ms, 0);
	heard_event(&h, span_of("b"), id_of(7));
	ck_assert_uint_eq(h.through.ms, 5);
	ck_assert_uint_eq(h.latest.ms, 7);
	ck_assert_uint_eq(h.known.ms, 7);
	ck_assert(h.newest_len == 1 && h.newest[0] == 'b');
}
END_TEST

START_TEST(a_position_counts_when_its_barrier_is_back)
{
	struct heard h = {.open = false};

	ck_assert(heard_position(&h, id_of(10)));
	uint64_t first = h.barrier;
	ck_assert_uint_eq(h.through.ms, 0);
	ck_assert_uint_eq(h.known.ms, 10);
	ck_assert(!heard_position(&h, id_of(12))); /* one at a time */
	ck_assert(!heard_barrier(&h, first + 1));
	ck_assert(heard_barrier(&h, first));
	ck_assert_uint_eq(h.through.ms, 10);
	ck_assert(!heard_barrier(&h, first));
	ck_assert(heard_position(&h, id_of(15)));
}
END_TEST

START_TEST(a_barrier_of_a_lost_connection_counts_nothing)
{
	struct heard h = {.open = false};

	ck_assert(heard_position(&h, id_of(10)));
	uint64_t lost = h.barrier;
	heard_break(&h);
	ck_assert(!heard_barrier(&h, lost));
	ck_assert_uint_eq(h.through.ms, 0);
	ck_assert(heard_position(&h, id_of(20)));
	ck_assert(!heard_barrier(&h, lost));
	ck_assert(heard_barrier(&h, h.barrier));
	ck_assert_uint_eq(h.through.ms, 20);
}
END_TEST

START_TEST(it_never_goes_back)
{
	struct heard h = {.open = false};

	heard_event(&h, span_of("a"), id_of(9));
	heard_event(&h, span_of("a"), id_of(10));
	heard_event(&h, span_of("b"), id_of(3));
	ck_assert_uint_eq(h.through.ms, 9);
	ck_assert_uint_eq(h.latest.ms, 10);
	ck_assert(heard_position(&h, id_of(4)));
	ck_assert(heard_barrier(&h, h.barrier));
	ck_assert_uint_eq(h.through.ms, 9);
	ck_assert_uint_eq(h.known.ms, 10);
}
END_TEST

RUN_TESTS("heard", an_event_says_that_all_before_it_have_come_and_not_yet_that_it_came_whole,
	  a_position_counts_when_its_barrier_is_back, a_barrier_of_a_lost_connection_counts_nothing,
	  it_never_goes_back)
