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
				    (struct event_id){1764000000007, 0}, NULL);
	ck_assert(f->event);
	ck_assert_uint_eq(f->id.ms, 1764000000007);
	ck_assert(span_is(sse_event_name(f), "comment_created"));
	is(f, "event: comment_created\ndata: {\"comment_id\":\"456\"}\nid: 1764000000007-0\n\n");
	is(sse_event(span_of("x"), span_of("1"), (struct event_id){0, 0}, NULL),
	   "event: x\ndata: 1\n\n");
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
		is(sse_event(span_of("x"), span_of(cases[i].json), (struct event_id){1, 0}, NULL),
		   expected);
	}
}
END_TEST

START_TEST(nul_in_data_is_a_byte_like_any_other)
{
	struct frame *f =
		sse_event(span_of("x"), span_of("\"a\\u0000b\""), (struct event_id){0, 0}, NULL);
	ck_assert_uint_eq(f->len, sizeof("event: x\ndata: a.b\n\n") - 1);
	ck_assert_mem_eq(f->bytes, "event: x\ndata: a\0b\n\n", f->len);
	frame_unref(f);
}
END_TEST

START_TEST(retry_position_and_heartbeats_fire_nothing)
{
	is(sse_retry(3000), "retry: 3000\n\n");
	is(sse_position(span_of("5-6")), "id: 5-6\n\n");
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
		struct frame *f = sse_event(span_of("x"), span_of(cases[i].json),
					    (struct event_id){i, 1}, NULL);
		struct buf b;
		buf_init(&b, 1000);
		ck_assert_int_eq(sse_event_data(f, &b), 0);
		ck_assert_str_eq(b.data ? b.data : "", cases[i].text);
		buf_done(&b);
		frame_unref(f);
	}
}
END_TEST

START_TEST(events_of_a_cluster_say_their_partition_and_may_go_without_their_id)
{
	struct sse_source from = {.cluster = true, .partition = 3, .names = {"b\0c\0", 4}};
	struct frame *f = sse_event(span_of("x"), span_of("1"), (struct event_id){5, 6}, &from);

	ck_assert_ptr_nonnull(f);
	ck_assert(span_is((struct span){f->bytes, f->len}, "event: x\ndata: 1\nid: 3:5-6\n\n"));
	ck_assert(span_is((struct span){f->bytes, f->body_len}, "event: x\ndata: 1\n"));
	ck_assert(f->names_len == 4 && memcmp(f->bytes + f->len, "b\0c\0", 4) == 0);
	ck_assert_uint_eq(f->partition, 3);
	ck_assert_uint_eq(f->id.ms, 5);
	frame_unref(f);
}
END_TEST

START_TEST(notices_name_their_topics_in_request_order)
{
	const struct notice_topic fine[] = {{span_of("b"), false}, {span_of("a"), false}};
	const struct notice_topic one[] = {{span_of("b"), false}, {span_of("a"), true}};
	const struct notice_topic all[] = {{span_of("b"), true}, {span_of("a"), true}};

	is(notice_open(fine, 2, false, 0, span_of("7-8")),
	   "event: sse.open\ndata: "
	   "{\"topics\":[\"b\",\"a\"],\"resumed\":false,\"replayed\":0,\"reset\":[]}\nid: 7-8\n\n");
	is(notice_open(one, 2, true, 3, span_of("1:7-8,3:5-0")),
	   "event: sse.open\ndata: "
	   "{\"topics\":[\"b\",\"a\"],\"resumed\":true,\"replayed\":3,\"reset\":[\"a\"]}"
	   "\nid: 1:7-8,3:5-0\n\n");
	is(notice_reset(one, 2, "trimmed"),
	   "event: sse.reset\ndata: {\"topics\":[\"a\"],\"reason\":\"trimmed\"}\n\n");
	is(notice_open(all, 2, false, 0, (struct span){NULL, 0}),
	   "event: sse.open\n"
	   "data: "
	   "{\"topics\":[\"b\",\"a\"],\"resumed\":false,\"replayed\":0,\"reset\":[\"b\",\"a\"]}"
	   "\n\n");
	is(notice_reset(all, 2, "redis_lost"),
	   "event: sse.reset\ndata: {\"topics\":[\"b\",\"a\"],\"reason\":\"redis_lost\"}\n\n");
	is(notice_bye(1234), "retry: 1234\nevent: sse.bye\ndata: {}\n\n");
	is(notice_busy("a \"b\"", 5000),
	   "retry: 5000\nevent: sse.busy\ndata: {\"detail\":\"a \\\"b\\\"\"}\n\n");
}
END_TEST

RUN_TESTS("sse", an_event_has_its_fields_in_order_and_ends_with_an_empty_line,
	  every_line_of_data_gets_its_own_field, nul_in_data_is_a_byte_like_any_other,
	  retry_position_and_heartbeats_fire_nothing,
	  the_data_of_an_event_comes_out_as_a_listener_reads_it,
	  events_of_a_cluster_say_their_partition_and_may_go_without_their_id,
	  notices_name_their_topics_in_request_order,
	  the_data_of_an_event_comes_out_as_a_listener_reads_it)
