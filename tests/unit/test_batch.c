/* test_batch: what came with one read goes out topic by topic, whole and in order. */
#include "streamer/batch.h"

#include <string.h>
#include "streamer/frame.h"
#include "streamer/hub.h"
#include "tests/unit/run.h"

static void add(struct batch *b, struct topic *t, const char *text, uint64_t ms)
{
	struct frame *f = frame_copy(text, strlen(text));

	ck_assert_ptr_nonnull(f);
	f->id = (struct event_id){ms, 0};
	batch_add(b, t, f);
	frame_unref(f);
}

START_TEST(events_of_one_topic_are_joined_in_their_order)
{
	struct topic a = {0}, c = {0};
	struct batch b;
	struct burst burst;

	batch_init(&b);
	add(&b, &a, "one ", 1);
	add(&b, &c, "other ", 2);
	add(&b, &a, "two ", 0);
	add(&b, &a, "three ", 4);
	ck_assert_uint_eq(b.n_topics, 2);
	ck_assert(b.events[0].first && b.events[1].first && !b.events[2].first);
	batch_burst(&b, 0, &burst);
	ck_assert_uint_eq(burst.n, 3);
	ck_assert_uint_eq(burst.len, strlen("one two three "));
	ck_assert_mem_eq(burst.bytes, "one two three ", burst.len);
	ck_assert_ptr_eq(burst.frames[2], b.events[3].frame);
	ck_assert(burst.first.ms == 1 && burst.last.ms == 4);
	batch_burst(&b, 1, &burst);
	ck_assert_uint_eq(burst.n, 1);
	ck_assert_ptr_eq(burst.bytes, b.events[1].frame->bytes);
	batch_done(&b);
}
END_TEST

START_TEST(ids_that_an_event_has_not_are_no_bounds)
{
	struct topic t = {0};
	struct batch b;
	struct burst burst;

	batch_init(&b);
	add(&b, &t, "a", 0);
	add(&b, &t, "b", 0);
	batch_burst(&b, 0, &burst);
	ck_assert(event_id_is_zero(burst.first) && event_id_is_zero(burst.last));
	add(&b, &t, "c", 7);
	add(&b, &t, "d", 0);
	batch_burst(&b, 0, &burst);
	ck_assert(burst.first.ms == 7 && burst.last.ms == 7);
	batch_done(&b);
}
END_TEST

START_TEST(a_cleared_batch_holds_nothing_and_forgets_its_topics)
{
	struct topic t = {0};
	struct batch b;
	struct burst burst;

	batch_init(&b);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < BATCH_EVENTS; i++)
			add(&b, &t, "x", i + 1);
		ck_assert(batch_full(&b));
		batch_burst(&b, 0, &burst);
		ck_assert_uint_eq(burst.n, BATCH_EVENTS);
		struct frame *last = frame_ref(burst.frames[BATCH_EVENTS - 1]);
		batch_clear(&b);
		ck_assert_uint_eq(last->refs, 1);
		frame_unref(last);
		ck_assert_uint_eq(b.n + b.n_topics + t.batch_last, 0);
	}
	batch_done(&b);
}
END_TEST

START_TEST(what_is_too_long_to_be_joined_is_there_piece_by_piece)
{
	struct topic t = {0};
	struct batch b;
	struct burst burst;

	batch_init(&b);
	for (unsigned i = 0; i < 2; i++) {
		struct frame *f = frame_new(BATCH_JOINED_BYTES / 2 + 1);
		ck_assert_ptr_nonnull(f);
		memset(f->bytes, 'x', f->len);
		batch_add(&b, &t, f);
		frame_unref(f);
	}
	batch_burst(&b, 0, &burst);
	ck_assert_ptr_null(burst.bytes);
	ck_assert_uint_eq(burst.n, 2);
	batch_done(&b);
}
END_TEST

RUN_TESTS("batch", events_of_one_topic_are_joined_in_their_order,
	  ids_that_an_event_has_not_are_no_bounds,
	  a_cleared_batch_holds_nothing_and_forgets_its_topics,
	  what_is_too_long_to_be_joined_is_there_piece_by_piece)
