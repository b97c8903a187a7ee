/* test_time: the lists that time-outs and heartbeats hang from; the clock is ours. */
#include <string.h>

#include "streamer/deadline.h"
#include "streamer/wheel.h"
#include "tests/unit/run.h"

START_TEST(deadlines_fall_due_in_the_order_of_their_start)
{
	struct deadline_list l;
	struct deadline d[3];

	deadline_list_init(&l, 2.);
	ck_assert(deadline_first(&l) < 0);
	for (int i = 0; i < 3; i++) {
		deadline_init(&d[i]);
		deadline_start(&l, &d[i], i);
	}
	ck_assert_double_eq(deadline_first(&l), 2.);
	ck_assert_ptr_null(deadline_pop(&l, 1.999));
	ck_assert_ptr_eq(deadline_pop(&l, 3.), &d[0]);
	ck_assert_ptr_eq(deadline_pop(&l, 3.), &d[1]);
	ck_assert_ptr_null(deadline_pop(&l, 3.));
	ck_assert_ptr_eq(deadline_pop(&l, 4.), &d[2]);
	ck_assert(deadline_first(&l) < 0);
}
END_TEST

START_TEST(a_stopped_or_restarted_deadline_does_not_fall_due_early)
{
	struct deadline_list l;
	struct deadline a, b;

	deadline_list_init(&l, 1.);
	deadline_init(&a);
	deadline_init(&b);
	deadline_stop(&a); /* in no list: harmless */
	deadline_start(&l, &a, 0);
	deadline_start(&l, &b, 0);
	deadline_start(&l, &a, .5);
	ck_assert_ptr_eq(deadline_pop(&l, 1.2), &b);
	ck_assert_ptr_null(deadline_pop(&l, 1.2));
	deadline_stop(&a);
	deadline_stop(&a);
	ck_assert_ptr_null(deadline_pop(&l, 100));
}
END_TEST

struct rider {
	struct wheel_entry entry;
	int served;
	bool leaves;
};

static void serve(void *arg, struct wheel_entry *e)
{
	struct rider *r = (struct rider *)e;
	(*(int *)arg)++;
	r->served++;
	if (r->leaves)
		wheel_remove(e);
}

START_TEST(everybody_comes_round_once_a_period_and_spread_over_it)
{
	struct wheel w;
	struct rider riders[10] = {0};
	int served = 0;

	ck_assert_int_eq(wheel_init(&w, 5), 0);
	for (size_t i = 0; i < 10; i++)
		wheel_add(&w, &riders[i].entry, i);
	for (int tick = 1; tick <= 15; tick++) {
		wheel_tick(&w, serve, &served);
		ck_assert_int_eq(served, tick * 2);
	}
	for (size_t i = 0; i < 10; i++)
		ck_assert_int_eq(riders[i].served, 3);
	wheel_done(&w);
}
END_TEST

START_TEST(who_leaves_the_wheel_while_it_is_served_is_not_served_again)
{
	struct wheel w;
	struct rider riders[3] = {{.leaves = true}, {.leaves = true}, {.leaves = false}};
	int served = 0;

	ck_assert_int_eq(wheel_init(&w, 2), 0);
	for (size_t i = 0; i < 3; i++)
		wheel_add(&w, &riders[i].entry, 0);
	for (int tick = 0; tick < 4; tick++)
		wheel_tick(&w, serve, &served);
	ck_assert_int_eq(riders[0].served, 1);
	ck_assert_int_eq(riders[1].served, 1);
	ck_assert_int_eq(riders[2].served, 2);
	wheel_remove(&riders[2].entry);
	wheel_remove(&riders[2].entry);
	wheel_done(&w);
}
END_TEST

RUN_TESTS("time", deadlines_fall_due_in_the_order_of_their_start,
	  a_stopped_or_restarted_deadline_does_not_fall_due_early,
	  everybody_comes_round_once_a_period_and_spread_over_it,
	  who_leaves_the_wheel_while_it_is_served_is_not_served_again)
