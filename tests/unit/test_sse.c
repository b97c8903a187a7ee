/* test_sse: the bytes of the stream, read back by the rules of WHATWG HTML 9.2.6. */
#include "streamer/sse.h"

#include <string.h>

#include "common/buf.h"
#include "streamer/frame.h"
#include "streamer/hub.h"
#include "streamer/notice.h"
#include "streamer/replay.h"
#include "tests/unit/run.h"

static void is(struct frame *f, const char *text)
{
	ck_assert_ptr_nonnull(f);
	ck_assert_msg(f->len == strlen(text) && memcmp(f->bytes, text, f->len) == 0, "%.*s",
		      (int)f->len, f->bytes);
	frame_unref(f);
}

START_TEST(an_event_has_its_fields_in_order_and_ends_with_an_empty_line)
{
	struct frame *f = sse_event(span_of("comment_created"), span_of("{\"comment_id\":\"456\"}"),
				    (struct event_id){1764000000007, 0});
	ck_assert(f->event);
	ck_assert_uint_eq(f->id.ms, 1764000000007);
	ck_assert(span_is(sse_event_name(f), "comment_created"));
	is(f, "event: comment_created\ndata: {\"comment_id\":\"456\"}\nid: 1764000000007-0\n\n");
	is(sse_event(span_of("x"), span_of("1"), (struct event_id){0, 0}), "event: x\ndata: 1\n\n");
}
END_TEST

START_TEST(every_line_of_data_gets_its_own_field)
{
	static const struct {
		const char *json, *lines;
	} cases[] = {
		{"\"\"", "data: \n"},
		{"\"one\"", "data: one\n"},
		{"\" leading\"", "data:  leading\n"},
		{"\"a\\nb\"", "data: a\ndata: b\n"},
		{"\"a\\rb\"", "data: a\ndata: b\n"},
		{"\"a\\r\\nb\"", "data: a\ndata: b\n"},
		{"\"a\\n\\rb\"", "data: a\ndata: \ndata: b\n"},
		{"\"a\\n\"", "data: a\ndata: \n"},
		{"\"\\r\\n\"", "data: \ndata: \n"},
		{"\"\\r\"", "data: \ndata: \n"},
		{"\"a\\n\\nid: 7\"", "data: a\ndata: \ndata: id: 7\n"},
		{"{\n\t\"a\": 1\r\n}", "data: {\ndata: \t\"a\": 1\ndata: }\n"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char expected[200] = "event: x\n";
		strcat(expected, cases[i].lines);
		strcat(expected, "id: 1-0\n\n");
		is(sse_event(span_of("x"), span_of(cases[i].json), (struct event_id){1, 0}),
		   expected);
	}
}
END_TEST

START_TEST(nul_in_data_is_a_byte_like_any_other)
{
	struct frame *f =
		sse_event(span_of("x"), span_of("\"a\\u0000b\""), (struct event_id){0, 0});
	ck_assert_uint_eq(f->len, sizeof("event: x\ndata: a.b\n\n") - 1);
	ck_assert_mem_eq(f->bytes, "event: x\ndata: a\0b\n\n", f->len);
	frame_unref(f);
}
END_TEST

START_TEST(retry_position_and_heartbeats_fire_nothing)
{
	is(sse_retry(3000), "retry: 3000\n\n");
	is(sse_position((struct event_id){5, 6}), "id: 5-6\n\n");
	is(sse_heartbeat_comment(), ": ping\n\n");
	is(sse_heartbeat_event(1760000000), "event: ping\ndata: {\"timestamp\":1760000000}\n\n");
	struct frame *f = sse_heartbeat_event(1);
	ck_assert(!f->event); /* not an event of a topic: it does not count against the queue */
	frame_unref(f);
}
END_TEST

START_TEST(the_data_of_an_event_comes_out_as_a_listener_reads_it)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{"\"\"", ""},
		{"\"a\"", "a"},
		{"\" a\\nb\\r\\n\\nc\\n\"", " a\nb\n\nc\n"},
		{"{\"id: 1\":\"data: x\"}", "{\"id: 1\":\"data: x\"}"},
		{"\"data: \\nid: 7\"", "data: \nid: 7"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct frame *f =
			sse_event(span_of("x"), span_of(cases[i].json), (struct event_id){i, 1});
		struct buf b;
		buf_init(&b, 1000);
		ck_assert_int_eq(sse_event_data(f, &b), 0);
		ck_assert_str_eq(b.data ? b.data : "", cases[i].text);
		buf_done(&b);
		frame_unref(f);
	}
}
END_TEST

static void on_topic(void *arg, struct topic *t)
{
	(void)arg, (void)t;
}

START_TEST(notices_name_their_topics_in_request_order)
{
	static const struct hub_ops ops = {on_topic, on_topic};
	struct hub h;
	struct subscription s[2] = {{0}};

	hub_init(&h, 1, &ops, NULL);
	hub_join(&h, span_of("b"), &s[0], NULL);
	hub_join(&h, span_of("a"), &s[1], NULL);
	is(notice_open(s, 2, NULL, (struct event_id){7, 8}),
	   "event: sse.open\ndata: "
	   "{\"topics\":[\"b\",\"a\"],\"resumed\":false,\"replayed\":0,\"reset\":[]}\nid: 7-8\n\n");

	struct replay *r = replay_new(2, (struct event_id){7, 8}, true);
	ck_assert_ptr_nonnull(r);
	r->count = 3;
	r->topics[1].fault = REPLAY_TRIMMED;
	r->topics[1].fresh = true;
	is(notice_open(s, 2, r, (struct event_id){7, 8}),
	   "event: sse.open\ndata: "
	   "{\"topics\":[\"b\",\"a\"],\"resumed\":true,\"replayed\":3,\"reset\":[\"a\"]}"
	   "\nid: 7-8\n\n");
	is(notice_reset(s, r),
	   "event: sse.reset\ndata: {\"topics\":[\"a\"],\"reason\":\"trimmed\"}\n\n");
	replay_give_up(r, REPLAY_LOST, (struct event_id){9, 0});
	is(notice_open(s, 2, r, (struct event_id){7, 8}),
	   "event: sse.open\n"
	   "data: "
	   "{\"topics\":[\"b\",\"a\"],\"resumed\":false,\"replayed\":3,\"reset\":[\"b\",\"a\"]}"
	   "\nid: 7-8\n\n");
	is(notice_reset(s, r),
	   "event: sse.reset\ndata: {\"topics\":[\"b\",\"a\"],\"reason\":\"redis_lost\"}\n\n");
	free(r);
	is(notice_bye(1234), "retry: 1234\nevent: sse.bye\ndata: {}\n\n");
	is(notice_busy("a \"b\"", 5000),
	   "retry: 5000\nevent: sse.busy\ndata: {\"detail\":\"a \\\"b\\\"\"}\n\n");
	hub_leave(&h, &s[0], 0);
	hub_leave(&h, &s[1], 0);
	hub_done(&h);
}
END_TEST

RUN_TESTS("sse", an_event_has_its_fields_in_order_and_ends_with_an_empty_line,
	  every_line_of_data_gets_its_own_field, nul_in_data_is_a_byte_like_any_other,
	  retry_position_and_heartbeats_fire_nothing,
	  the_data_of_an_event_comes_out_as_a_listener_reads_it,
	  notices_name_their_topics_in_request_order,
	  the_data_of_an_event_comes_out_as_a_listener_reads_it)
