/* test_opening: a stream opens after its SUBSCRIBEs were answered, with a position that was asked
 * for after that, and misses nothing of the time between. */
#include "streamer/opening.h"

#include <string.h>

#include "streamer/frame.h"
#include "streamer/recent.h"
#include "tests/unit/run.h"

/* All who are ready become part of the question; returns how many. */
static size_t ask_all(struct opening *o)
{
	struct opening_entry *e;
	size_t n = 0;

	while ((e = opening_first(o))) {
		opening_ask(o, e);
		n++;
	}
	return n;
}

START_TEST(nobody_is_part_of_a_question_before_redis_answered_what_it_needs)
{
	struct opening o;
	struct opening_entry a, b;

	opening_init(&o);
	opening_entry_init(&a);
	opening_entry_init(&b);
	opening_wait(&o, &a, 3, 0);
	opening_wait(&o, &b, 5, 0);
	ck_assert_uint_eq(ask_all(&o), 0);
	opening_confirm(&o, 2);
	ck_assert_uint_eq(ask_all(&o), 0);
	opening_confirm(&o, 4);
	ck_assert_uint_eq(ask_all(&o), 1);
	ck_assert_ptr_eq(opening_take(&o), &a);
	ck_assert_ptr_null(opening_take(&o));
	opening_confirm(&o, 5);
	ck_assert_uint_eq(ask_all(&o), 1);
	ck_assert_ptr_eq(opening_take(&o), &b);
}
END_TEST

START_TEST(who_is_ready_after_the_question_went_out_waits_for_the_next_one)
{
	struct opening o;
	struct opening_entry early, late;

	opening_init(&o);
	opening_entry_init(&early);
	opening_entry_init(&late);
	opening_wait(&o, &early, 1, 1);
	ck_assert_uint_eq(ask_all(&o), 1);
	opening_wait(&o, &late, 1, 1);
	ck_assert_ptr_eq(opening_take(&o), &early);
	ck_assert_ptr_null(opening_take(&o));
	ck_assert_ptr_eq(opening_first(&o), &late);
}
END_TEST

START_TEST(those_of_a_failed_question_are_ready_before_all_others_again)
{
	struct opening o;
	struct opening_entry e[4], *at;

	opening_init(&o);
	for (size_t i = 0; i < 4; i++)
		opening_entry_init(&e[i]);
	for (size_t i = 0; i < 3; i++)
		opening_wait(&o, &e[i], 0, 0);
	ck_assert_uint_eq(ask_all(&o), 3);
	opening_wait(&o, &e[3], 0, 0);
	opening_ask_again(&o);
	ck_assert_ptr_null(opening_take(&o));
	at = opening_first(&o);
	for (size_t i = 0; i < 4; i++, at = opening_next(&o, at))
		ck_assert_ptr_eq(at, &e[i]);
	ck_assert_ptr_null(at);
}
END_TEST

START_TEST(who_has_to_be_asked_for_again_can_go_before_the_others)
{
	struct opening o;
	struct opening_entry a, b;

	opening_init(&o);
	opening_entry_init(&a);
	opening_entry_init(&b);
	opening_wait_first(&o, &a);
	ck_assert_ptr_eq(opening_first(&o), &a);
	opening_wait_first(&o, &b);
	ck_assert_ptr_eq(opening_first(&o), &b);
	ck_assert_ptr_eq(opening_next(&o, &b), &a);
	ck_assert_ptr_null(opening_next(&o, &a));
}
END_TEST

START_TEST(who_leaves_is_in_no_list_any_more)
{
	struct opening o;
	struct opening_entry a, b, c;

	opening_init(&o);
	opening_entry_init(&a);
	opening_entry_init(&b);
	opening_entry_init(&c);
	opening_leave(&a);
	opening_wait(&o, &a, 9, 0);
	opening_wait(&o, &b, 0, 0);
	opening_ask(&o, &b);
	opening_wait(&o, &c, 0, 0);
	opening_leave(&a);
	opening_leave(&b);
	opening_leave(&c);
	opening_leave(&c);
	opening_confirm(&o, 9);
	ck_assert_ptr_null(opening_take(&o));
	ck_assert_ptr_null(opening_first(&o));
}
END_TEST

static void add(struct recent *r, uint64_t serial, size_t len)
{
	struct frame *f = frame_new(len);
	ck_assert_ptr_nonnull(f);
	recent_add(r, serial, f);
	frame_unref(f);
}

START_TEST(everything_since_the_question_is_kept_and_nothing_before_it)
{
	struct recent r;

	recent_init(&r, 4, 1000);
	ck_assert_int_eq(recent_prepare(&r), 0);
	add(&r, 1, 1);
	ck_assert(!recent_holds(&r, 0));
	uint64_t since = recent_start(&r);
	ck_assert(recent_holds(&r, since));
	add(&r, 2, 1);
	add(&r, 3, 1);
	ck_assert_uint_eq(r.next - since, 2);
	ck_assert_uint_eq(recent_at(&r, since)->topic_serial, 2);
	ck_assert_uint_eq(recent_at(&r, since + 1)->topic_serial, 3);
	recent_stop(&r);
	ck_assert(!recent_holds(&r, since));
	recent_done(&r);
}
END_TEST

START_TEST(a_question_that_took_too_long_for_the_memory_is_told_so)
{
	struct recent r;

	recent_init(&r, 3, 100);
	ck_assert_int_eq(recent_prepare(&r), 0);
	uint64_t since = recent_start(&r);
	for (uint64_t i = 0; i < 3; i++)
		add(&r, i, 1);
	ck_assert(recent_holds(&r, since));
	add(&r, 3, 1);
	ck_assert(!recent_holds(&r, since));
	ck_assert(recent_holds(&r, since + 1));
	since = recent_start(&r);
	add(&r, 4, 60);
	ck_assert(recent_holds(&r, since));
	add(&r, 5, 60); /* the bytes are bounded too */
	ck_assert(!recent_holds(&r, since));
	ck_assert_uint_eq(r.bytes, 60);
	recent_done(&r);
}
END_TEST

RUN_TESTS("opening", nobody_is_part_of_a_question_before_redis_answered_what_it_needs,
	  who_is_ready_after_the_question_went_out_waits_for_the_next_one,
	  those_of_a_failed_question_are_ready_before_all_others_again,
	  who_has_to_be_asked_for_again_can_go_before_the_others, who_leaves_is_in_no_list_any_more,
	  everything_since_the_question_is_kept_and_nothing_before_it,
	  a_question_that_took_too_long_for_the_memory_is_told_so)
