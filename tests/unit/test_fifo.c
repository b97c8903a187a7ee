/* test_fifo: numbers come out in the order in which they went in, however often it grows and turns.
 */
#include "streamer/fifo.h"

#include "tests/unit/run.h"

START_TEST(numbers_come_out_in_order_while_the_ring_turns_and_grows)
{
	struct fifo f = {0};
	uint64_t in = 0, out = 0, got;

	for (int round = 1; round < 60; round++) {
		for (int i = 0; i < round; i++)
			ck_assert_int_eq(fifo_push(&f, in++), 0);
		ck_assert_uint_eq(f.count, in - out);
		ck_assert_uint_eq(*fifo_at(&f, f.count - 1), in - 1);
		for (int i = 0; i < round * 3 / 4; i++) {
			ck_assert(fifo_pop(&f, &got));
			ck_assert_uint_eq(got, out++);
		}
	}
	while (fifo_pop(&f, &got))
		ck_assert_uint_eq(got, out++);
	ck_assert_uint_eq(in, out);
	fifo_done(&f);
}
END_TEST

START_TEST(an_open_one_may_be_changed_and_all_be_forgotten)
{
	struct fifo f = {0};
	uint64_t got;

	fifo_push(&f, 1);
	fifo_push(&f, 2);
	*fifo_at(&f, 1) = 9;
	ck_assert(fifo_pop(&f, &got) && got == 1);
	ck_assert(fifo_pop(&f, &got) && got == 9);
	ck_assert(!fifo_pop(&f, &got));
	fifo_push(&f, 3);
	fifo_clear(&f);
	ck_assert(!fifo_pop(&f, &got));
	fifo_done(&f);
}
END_TEST

RUN_TESTS("fifo", numbers_come_out_in_order_while_the_ring_turns_and_grows,
	  an_open_one_may_be_changed_and_all_be_forgotten)
