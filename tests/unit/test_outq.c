/* test_outq: what waits for a client goes out once, in order, however the socket cuts it. */
#include "streamer/outq.h"

#include <stdlib.h>
#include <string.h>

#include "streamer/frame.h"
#include "tests/unit/run.h"

static struct frame *text_frame(const char *text)
{
	struct frame *f = frame_copy(text, strlen(text));
	ck_assert_ptr_nonnull(f);
	return f;
}

static void push(struct outq *q, const char *text)
{
	struct frame *f = text_frame(text);
	ck_assert_int_eq(outq_push(q, f), 0);
	frame_unref(f);
}

/* Takes what a socket of `room` bytes would take now. Returns how much went. */
static size_t drain(struct outq *q, size_t room, char *out)
{
	struct iovec pieces[3];
	size_t taken = 0;
	int n = outq_iovec(q, pieces, 3);

	for (int i = 0; i < n && taken < room; i++) {
		size_t len = pieces[i].iov_len < room - taken ? pieces[i].iov_len : room - taken;
		memcpy(out + taken, pieces[i].iov_base, len);
		taken += len;
	}
	outq_sent(q, taken);
	return taken;
}

START_TEST(partial_writes_resume_inside_a_frame_whatever_their_size)
{
	for (size_t room = 1; room < 40; room++) {
		struct outq q;
		char out[64] = "";
		size_t len = 0;

		outq_init(&q);
		push(&q, "first ");
		push(&q, "");
		push(&q, "second ");
		push(&q, "third ");
		push(&q, "fourth ");
		push(&q, "fifth");
		while (!outq_empty(&q)) {
			size_t before = q.bytes, n = drain(&q, room, out + len);
			len += n;
			ck_assert_uint_eq(q.bytes, before - n);
		}
		ck_assert_str_eq(out, "first second third fourth fifth");
		ck_assert_uint_eq(q.bytes, 0);
		outq_done(&q);
	}
}
END_TEST

START_TEST(frames_pushed_between_writes_keep_their_place_in_the_ring)
{
	struct outq q;
	char out[400] = "", expected[400] = "";
	size_t len = 0;

	outq_init(&q);
	for (int i = 0; i < 60; i++) {
		char text[4] = {(char)('a' + i % 26), (char)('0' + i / 26), ';', '\0'};
		push(&q, text);
		strcat(expected, text);
		if (i % 3 == 0)
			len += drain(&q, 4, out + len);
	}
	while (!outq_empty(&q))
		len += drain(&q, 7, out + len);
	ck_assert_str_eq(out, expected);
	outq_done(&q);
}
END_TEST

START_TEST(events_are_counted_and_everything_else_is_not)
{
	struct outq q;
	struct frame *event = text_frame("event"), *ping = text_frame("ping");

	event->event = true;
	outq_init(&q);
	outq_push(&q, event);
	outq_push(&q, ping);
	outq_push(&q, event);
	ck_assert_uint_eq(q.events, 2);
	ck_assert_uint_eq(q.count, 3);
	ck_assert_uint_eq(q.bytes, 14);
	outq_sent(&q, 4);
	ck_assert_uint_eq(q.events, 2);
	outq_sent(&q, 1);
	ck_assert_uint_eq(q.events, 1);
	outq_done(&q);
	ck_assert_uint_eq(q.events, 0);
	ck_assert_uint_eq(event->refs, 1);
	frame_unref(event);
	frame_unref(ping);
}
END_TEST

START_TEST(each_place_holds_one_reference_and_gives_it_back)
{
	struct outq a, b;
	struct frame *f = text_frame("shared");

	outq_init(&a);
	outq_init(&b);
	outq_push(&a, f);
	outq_push(&a, f);
	outq_push(&b, f);
	ck_assert_uint_eq(f->refs, 4);
	outq_sent(&a, 6);
	ck_assert_uint_eq(f->refs, 3);
	outq_done(&a);
	outq_done(&b);
	ck_assert_uint_eq(f->refs, 1);
	frame_unref(f);
}
END_TEST

START_TEST(a_few_pieces_and_an_emptied_queue_need_no_memory)
{
	struct outq q;

	outq_init(&q);
	for (int i = 0; i < OUTQ_FEW; i++)
		push(&q, "x");
	ck_assert_uint_eq(q.cap, OUTQ_FEW);
	push(&q, "x");
	ck_assert_uint_gt(q.cap, OUTQ_FEW);
	outq_sent(&q, OUTQ_FEW + 1);
	ck_assert_uint_eq(q.cap, OUTQ_FEW);
}
END_TEST

static struct frame *keyed(const char *text, const char *same)
{
	struct frame *f = frame_new(strlen(text) + strlen(same));

	ck_assert_ptr_nonnull(f);
	memcpy(f->bytes, text, strlen(text));
	memcpy(f->bytes + strlen(text), same, strlen(same));
	f->len = f->body_len = (uint32_t)strlen(text);
	f->same_len = (uint32_t)strlen(same);
	f->event = true;
	return f;
}

static void push_keyed(struct outq *q, const char *text, const char *same)
{
	struct frame *f = keyed(text, same);
	ck_assert_int_eq(outq_push(q, f), 0);
	frame_unref(f);
}

static bool conflate(struct outq *q, const char *same)
{
	struct frame *f = keyed("new", same);
	bool found = outq_conflate(q, f);
	frame_unref(f);
	return found;
}

START_TEST(the_waiting_event_of_a_key_is_taken_out_and_nothing_else)
{
	struct outq q;
	char out[64] = "";

	outq_init(&q);
	push_keyed(&q, "one ", "k1");
	push(&q, "note ");
	push_keyed(&q, "two ", "k2");
	push_keyed(&q, "none ", "");
	push_keyed(&q, "longer ", "k22");
	ck_assert(!conflate(&q, "k3") && !conflate(&q, ""));
	ck_assert(conflate(&q, "k2"));
	ck_assert(!conflate(&q, "k2"));
	ck_assert_uint_eq(q.events, 3);
	ck_assert(conflate(&q, "k1"));
	size_t len = drain(&q, sizeof(out), out);
	ck_assert_str_eq(out, "note none longer ");
	ck_assert(len == strlen(out) && q.bytes == 0 && q.events == 0);
}
END_TEST

START_TEST(what_is_half_sent_stays_whatever_comes)
{
	struct outq q;

	outq_init(&q);
	push_keyed(&q, "one", "k");
	outq_sent(&q, 1);
	ck_assert(!conflate(&q, "k"));
	push_keyed(&q, "two", "k");
	ck_assert(conflate(&q, "k"));
	ck_assert_uint_eq(q.bytes, 2);
	ck_assert_uint_eq(q.events, 1);
	outq_done(&q);
}
END_TEST

START_TEST(a_position_goes_with_the_event_that_it_belongs_to)
{
	struct outq q;
	struct frame *f = keyed("body id", "k");

	outq_init(&q);
	f->body_len = 4;
	push(&q, "a");
	ck_assert_int_eq(outq_push_body(&q, f), 0);
	push(&q, "position");
	push(&q, "b");
	frame_unref(f);
	ck_assert(conflate(&q, "k"));
	ck_assert_uint_eq(q.count, 2);
	ck_assert_uint_eq(q.bytes, 2);
	outq_done(&q);
}
END_TEST

START_TEST(an_event_may_go_without_its_id_line_and_with_another_one)
{
	struct frame *event = text_frame("body id\n");
	struct outq q;
	char out[64] = "";

	event->event = true;
	event->body_len = 5;
	outq_init(&q);
	ck_assert_int_eq(outq_push_body(&q, event), 0);
	push(&q, "other\n");
	ck_assert_int_eq(outq_push(&q, event), 0);
	ck_assert_uint_eq(q.bytes, 5 + 6 + 8);
	ck_assert_uint_eq(q.events, 2);
	for (size_t len = 0; !outq_empty(&q);)
		len += drain(&q, 3, out + len);
	ck_assert_str_eq(out, "body other\nbody id\n");
	ck_assert_uint_eq(event->refs, 1);
	frame_unref(event);
}
END_TEST

START_TEST(a_static_frame_never_dies)
{
	static struct frame eternal = {.refs = FRAME_STATIC, .len = 1, .bytes = "x"};
	struct outq q;

	outq_init(&q);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(outq_push(&q, &eternal), 0);
	outq_done(&q);
	frame_unref(&eternal);
	frame_unref(NULL);
	ck_assert_uint_eq(eternal.refs, FRAME_STATIC);
}
END_TEST

START_TEST(a_frame_larger_than_its_counter_is_refused)
{
	ck_assert_ptr_null(frame_new((size_t)UINT32_MAX));
	ck_assert_ptr_null(frame_new(SIZE_MAX));
}
END_TEST

RUN_TESTS("outq", the_waiting_event_of_a_key_is_taken_out_and_nothing_else,
	  what_is_half_sent_stays_whatever_comes, a_position_goes_with_the_event_that_it_belongs_to,
	  partial_writes_resume_inside_a_frame_whatever_their_size,
	  frames_pushed_between_writes_keep_their_place_in_the_ring,
	  events_are_counted_and_everything_else_is_not,
	  each_place_holds_one_reference_and_gives_it_back,
	  a_few_pieces_and_an_emptied_queue_need_no_memory,
	  an_event_may_go_without_its_id_line_and_with_another_one, a_static_frame_never_dies,
	  a_frame_larger_than_its_counter_is_refused)
