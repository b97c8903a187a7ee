/* test_replay: what a stream missed comes out of the tails of its topics in the order of ids, none
 * twice; a topic with a hole is found, and left out. */
#include "streamer/replay.h"

#include <stdio.h>
#include <string.h>

#include "streamer/event_frame.h"
#include "streamer/frame.h"
#include "streamer/hub.h"
#include "streamer/sse.h"
#include "streamer/tail.h"
#include "tests/unit/run.h"

#define TOPICS 3

static const struct event_place single;
static struct topic topics[TOPICS];
static struct subscription subs[TOPICS];

static struct event_id id_of(uint64_t ms)
{
	return (struct event_id){ms, 0};
}

static void set_up(void)
{
	memset(topics, 0, sizeof(topics));
	for (size_t i = 0; i < TOPICS; i++)
		subs[i].topic = &topics[i];
}

static void tear_down(void)
{
	for (size_t i = 0; i < TOPICS; i++) {
		tail_free(topics[i].tail);
		topics[i].tail = NULL;
	}
}

/* ids: rising, ended by 0; before: the topic's id before the first of them. */
static struct tail *tail_of(size_t i, uint64_t from, uint64_t before, const uint64_t *ids)
{
	struct tail *t = tail_new(8);
	char message[128];

	ck_assert_ptr_nonnull(t);
	t->from = id_of(from);
	t->through = t->last = id_of(1000);
	t->complete = true;
	for (; *ids; before = *ids++) {
		int len =
			snprintf(message, sizeof(message),
				 "{\"event\":\"e%d\",\"data\":1,\"id\":\"%d-0\",\"prev\":\"%d-0\"}",
				 (int)*ids, (int)*ids, (int)before);
		ck_assert_int_eq(
			tail_add(t, id_of(*ids), (struct span){message, (size_t)len}, 200, &single),
			0);
		t->last = id_of(*ids);
	}
	topics[i].tail = t;
	return t;
}

static void expect(struct replay *r, const uint64_t *ids)
{
	struct frame *f;

	for (; *ids; ids++) {
		f = replay_next(r, subs);
		ck_assert_ptr_nonnull(f);
		ck_assert_uint_eq(f->id.ms, *ids);
		ck_assert_uint_eq(r->position.ms, *ids);
	}
	ck_assert_ptr_null(replay_next(r, subs));
}

#define IDS(...) ((const uint64_t[]){__VA_ARGS__, 0})
#define NO_IDS   ((const uint64_t[]){0})

START_TEST(events_of_all_topics_come_in_the_order_of_ids_and_each_once)
{
	set_up();
	struct replay *r = replay_new(TOPICS, id_of(10), false);

	tail_of(0, 5, 4, IDS(7, 11, 14));
	tail_of(1, 10, 9, IDS(12, 14, 15));
	tail_of(2, 10, 0, NO_IDS)->last = id_of(0);
	replay_begin(r, subs, id_of(20), id_of(0));
	expect(r, IDS(11, 12, 14, 15));
	ck_assert(replay_resumes(r));
	free(r);
	tear_down();
}
END_TEST

START_TEST(a_tail_that_begins_behind_a_hole_is_given_up_up_to_the_answer)
{
	set_up();
	struct replay *r = replay_new(TOPICS, id_of(10), true);
	enum replay_fault worst;

	tail_of(0, 10, 12, IDS(13, 14));
	tail_of(1, 10, 10, IDS(13));
	replay_begin(r, subs, id_of(20), id_of(0));
	ck_assert_uint_eq(replay_untold(r, &worst), 1);
	ck_assert_int_eq(worst, REPLAY_TRIMMED);
	ck_assert(r->topics[0].fresh && !r->topics[1].fresh);
	expect(r, IDS(13));
	replay_told(r);
	ck_assert_uint_eq(replay_untold(r, &worst), 0);
	ck_assert_int_eq(worst, REPLAY_FINE);
	ck_assert_uint_eq(replay_from(r, 0).ms, 20);
	ck_assert_uint_eq(replay_from(r, 1).ms, 13);
	free(r);
	tear_down();
}
END_TEST

START_TEST(a_topic_with_news_and_no_log_is_expired_and_one_without_news_is_not)
{
	set_up();
	struct replay *r = replay_new(TOPICS, id_of(10), true);
	enum replay_fault worst;

	tail_of(0, 10, 0, NO_IDS)->last = id_of(11);
	tail_of(1, 5, 0, NO_IDS)->last = id_of(10);
	replay_begin(r, subs, id_of(20), id_of(0));
	ck_assert_uint_eq(replay_untold(r, &worst), 1);
	ck_assert_int_eq(worst, REPLAY_EXPIRED);
	ck_assert(r->topics[0].fresh);
	ck_assert(replay_resumes(r));
	free(r);
	tear_down();
}
END_TEST

START_TEST(what_an_answer_had_no_room_for_is_no_loss)
{
	set_up();
	struct replay *r = replay_new(1, id_of(10), true);
	enum replay_fault worst;
	struct tail *t = tail_of(0, 10, 0, NO_IDS);

	t->last = id_of(15);
	t->complete = false;
	replay_begin(r, subs, id_of(20), id_of(0));
	ck_assert_uint_eq(replay_untold(r, &worst), 0);
	free(r);
	tear_down();
}
END_TEST

START_TEST(who_is_told_of_a_loss_gets_nothing_of_before)
{
	set_up();
	struct replay *r = replay_new(2, id_of(10), true);
	enum replay_fault worst;

	tail_of(0, 10, 10, IDS(11, 21));
	tail_of(1, 10, 10, IDS(12));
	replay_give_up(r, REPLAY_LOST, id_of(20));
	ck_assert(!replay_resumes(r));
	ck_assert_uint_eq(replay_untold(r, &worst), 2);
	ck_assert_int_eq(worst, REPLAY_LOST);
	replay_begin(r, subs, id_of(30), id_of(0));
	expect(r, IDS(21));
	free(r);
	tear_down();
}
END_TEST

START_TEST(a_hole_ahead_of_the_stream_is_filled_and_one_behind_it_is_told)
{
	set_up();
	struct replay *ahead = replay_new(1, id_of(10), false),
		      *behind = replay_new(1, id_of(12), false);
	enum replay_fault worst;

	tail_of(0, 9, 9, IDS(11, 13));
	ahead->live = id_of(10);
	replay_hole(ahead, 0, id_of(9));
	ck_assert_uint_eq(replay_from(ahead, 0).ms, 9);
	replay_begin(ahead, subs, id_of(20), id_of(0));
	ck_assert_uint_eq(replay_untold(ahead, &worst), 0);
	expect(ahead, IDS(11, 13));

	behind->live = id_of(12);
	replay_hole(behind, 0, id_of(9));
	replay_begin(behind, subs, id_of(20), id_of(0));
	ck_assert_uint_eq(replay_untold(behind, &worst), 1);
	ck_assert_int_eq(worst, REPLAY_MISSED);
	expect(behind, NO_IDS);
	free(ahead);
	free(behind);
	tear_down();
}
END_TEST

START_TEST(who_was_live_while_the_index_forgot_its_topic_has_no_hole)
{
	set_up();
	struct replay *live = replay_new(1, id_of(10), false),
		      *late = replay_new(1, id_of(10), false);
	enum replay_fault worst;

	tail_of(0, 10, 15, IDS(20)); /* 15 is the floor, no event of this topic */
	live->live = id_of(10);
	replay_hole(live, 0, id_of(9));
	for (int walk = 0; walk < 2; walk++) {
		replay_begin(live, subs, id_of(30), id_of(15));
		ck_assert_uint_eq(replay_untold(live, &worst), 0);
	}
	expect(live, IDS(20));
	replay_begin(late, subs, id_of(30), id_of(15));
	ck_assert_uint_eq(replay_untold(late, &worst), 1);
	ck_assert_int_eq(worst, REPLAY_TRIMMED);
	free(live);
	free(late);
	tear_down();
}
END_TEST

START_TEST(who_read_from_the_logs_has_no_hole)
{
	set_up();
	struct replay *r = replay_new(1, id_of(12), false);
	enum replay_fault worst;

	tail_of(0, 9, 9, IDS(11, 13));
	replay_hole(r, 0, id_of(9));
	ck_assert_uint_eq(replay_from(r, 0).ms, 12);
	replay_begin(r, subs, id_of(20), id_of(0));
	ck_assert_uint_eq(replay_untold(r, &worst), 0);
	expect(r, IDS(13));
	free(r);
	tear_down();
}
END_TEST

START_TEST(a_message_that_can_not_be_delivered_is_passed_over_and_makes_no_hole)
{
	set_up();
	struct replay *r = replay_new(1, id_of(10), false);
	struct tail *t = tail_of(0, 10, 10, IDS(11));
	static const char next[] = "{\"event\":\"x\",\"data\":1,\"id\":\"13-0\",\"prev\":\"12-0\"}";
	enum replay_fault worst;

	ck_assert_int_eq(tail_add(t, id_of(12), span_of("no event"), 200, &single), 0);
	ck_assert_int_eq(tail_add(t, id_of(13), span_of(next), 200, &single), 0);
	ck_assert_int_eq(tail_add(t, id_of(14), span_of(next), 10, &single), 0); /* too long */
	replay_begin(r, subs, id_of(20), id_of(0));
	ck_assert_uint_eq(replay_untold(r, &worst), 0);
	expect(r, IDS(11, 13));
	free(r);

	r = replay_new(1, id_of(12), false);
	replay_begin(r, subs, id_of(20), id_of(0));
	ck_assert_uint_eq(replay_untold(r, &worst), 0);
	expect(r, IDS(13));
	free(r);
	tear_down();
}
END_TEST

START_TEST(a_tail_is_searched_in_logarithmic_steps_and_right_at_both_ends)
{
	set_up();
	struct tail *t = tail_of(0, 1, 1, IDS(2, 4, 6, 8));

	ck_assert_uint_eq(tail_after(t, id_of(1)), 0);
	ck_assert_uint_eq(tail_after(t, id_of(2)), 1);
	ck_assert_uint_eq(tail_after(t, id_of(5)), 2);
	ck_assert_uint_eq(tail_after(t, id_of(8)), 4);
	ck_assert_uint_eq(tail_after(t, id_of(9)), 4);
	tear_down();
}
END_TEST

START_TEST(a_topic_that_is_taken_out_leaves_the_marks_of_the_others_with_them)
{
	set_up();
	struct replay *r = replay_new(3, id_of(10), false);
	enum replay_fault worst;

	tail_of(0, 10, 10, IDS(11, 14));
	tail_of(2, 10, 10, IDS(13));
	replay_drop(r, 2);
	replay_remove(r, 1);
	ck_assert_uint_eq(r->n_topics, 2);
	subs[1] = subs[2];
	replay_begin(r, subs, id_of(20), id_of(0));
	ck_assert_uint_eq(replay_untold(r, &worst), 1);
	ck_assert_int_eq(worst, REPLAY_DROPPED);
	ck_assert(r->topics[1].fresh && !r->topics[0].fresh);
	expect(r, IDS(11, 14));
	replay_remove(r, 0);
	replay_remove(r, 0);
	ck_assert_uint_eq(r->n_topics, 0);
	replay_begin(r, subs, id_of(20), id_of(0));
	ck_assert_ptr_null(replay_next(r, subs));
	free(r);
	subs[1].topic = &topics[1];
	tear_down();
}
END_TEST

RUN_TESTS("replay", a_topic_that_is_taken_out_leaves_the_marks_of_the_others_with_them,
	  events_of_all_topics_come_in_the_order_of_ids_and_each_once,
	  a_tail_that_begins_behind_a_hole_is_given_up_up_to_the_answer,
	  a_topic_with_news_and_no_log_is_expired_and_one_without_news_is_not,
	  what_an_answer_had_no_room_for_is_no_loss, who_is_told_of_a_loss_gets_nothing_of_before,
	  a_hole_ahead_of_the_stream_is_filled_and_one_behind_it_is_told,
	  who_was_live_while_the_index_forgot_its_topic_has_no_hole,
	  who_read_from_the_logs_has_no_hole,
	  a_message_that_can_not_be_delivered_is_passed_over_and_makes_no_hole,
	  a_tail_is_searched_in_logarithmic_steps_and_right_at_both_ends)
