/* test_streamer_oom: memory that runs out anywhere in the streamer's core is reported, leaves
 * nothing behind and spoils nothing. */
#include <errno.h>

#include "common/buf.h"
#include "common/event.h"
#include "streamer/answer.h"
#include "streamer/auth_batch.h"
#include "streamer/auth_url.h"
#include "streamer/cors.h"
#include "streamer/event_frame.h"
#include "streamer/fifo.h"
#include "streamer/filter.h"
#include "streamer/frame.h"
#include "streamer/hub.h"
#include "streamer/notice.h"
#include "streamer/outq.h"
#include "streamer/recent.h"
#include "streamer/replay.h"
#include "streamer/sse.h"
#include "streamer/stats.h"
#include "streamer/tail.h"
#include "streamer/topic_report.h"
#include "streamer/verdicts.h"
#include "streamer/wheel.h"
#include "tests/unit/asking.h"
#include "tests/unit/oom.h"
#include "tests/unit/run.h"

/* Within an action nothing of check is called: it allocates, too. */
static void must(bool good)
{
	if (!good)
		abort();
}

/* ---- frames ---- */

static bool give_back(struct frame *f)
{
	frame_unref(f);
	return !f;
}

static const struct answer_to to_all = {.event_stream = true};
static const struct answer_to to_others = {.head = false};

static bool copy_frame(void)
{
	return give_back(frame_copy("x", 1));
}

static bool format_event(void)
{
	return give_back(sse_event(span_of("x"), span_of("\"a\\nb\\u00e9\""),
				   (struct event_id){1, 2}, NULL));
}

static bool format_copy(void)
{
	static const char message[] = "{\"event\":\"x\",\"data\":1,\"id\":\"3-0\",\"prev\":\"1-0\","
				      "\"topics\":[\"a\",\"b\",\"c\"]}";
	const struct event_place place = {.partition = 1, .n_partitions = 1000};
	struct event_message m;

	if (event_decode(message, sizeof(message) - 1, &m) != EVENT_OK)
		return true;
	bool out = give_back(event_frame(&m, m.id, &place));
	event_message_done(&m);
	return out;
}

static bool format_retry(void)
{
	return give_back(sse_retry(3000));
}

static bool format_position(void)
{
	return give_back(sse_position(span_of("1-2")));
}

static bool format_heartbeat(void)
{
	return give_back(sse_heartbeat_event(1));
}

static bool answer_head(void)
{
	return give_back(answer_stream_head(&to_all));
}

static bool answer_with_json(void)
{
	return give_back(answer_json(&to_others, 200, span_of("{}")));
}

static bool answer_with_text(void)
{
	return give_back(answer_text(&to_others, "a/b", span_of("x")));
}

static bool answer_with_error(void)
{
	return give_back(answer_error(&to_others, 401, span_of("a\"b"), "GET", "Bearer"));
}

static bool answer_busy_stream(void)
{
	return give_back(answer_busy(&to_all, "full", 5000));
}

static bool answer_busy_plain(void)
{
	return give_back(answer_busy(&to_others, "full", 5000));
}

static bool answer_options(void)
{
	return give_back(answer_preflight(&to_others, "GET"));
}

static bool say_bye(void)
{
	return give_back(notice_bye(5000));
}

static bool say_busy(void)
{
	return give_back(notice_busy("full", 5000));
}

static bool answer_head_at(void)
{
	return give_back(answer_stream_head_at(&to_all, span_of("1-2")));
}

START_TEST(whoever_makes_a_frame_gives_null_without_memory)
{
	static const oom_action actions[] = {
		copy_frame,       format_event,      format_copy,        format_retry,
		format_position,  format_heartbeat,  answer_head,        answer_with_json,
		answer_with_text, answer_with_error, answer_busy_stream, answer_busy_plain,
		answer_options,   say_bye,           say_busy,           answer_head_at,
	};

	for (size_t i = 0; i < COUNT_OF(actions); i++)
		ck_assert_uint_ge(oom_exhaust(actions[i]), 1);
}
END_TEST

/* ---- things that hold others ---- */

static bool fill_queue(void)
{
	struct outq q;
	struct frame *f = frame_copy("abc", 3);
	int err = 0;

	if (!f)
		return true;
	outq_init(&q);
	for (uint32_t i = 0; i < 20 && !err; i++) {
		err = outq_push(&q, f);
		must(q.count == i + !err && q.bytes == 3 * q.count && f->refs == 1 + q.count);
	}
	must(!err || err == -ENOMEM);
	outq_done(&q);
	must(f->refs == 1);
	frame_unref(f);
	return err != 0;
}

static void on_topic(void *arg, struct topic *t)
{
	(void)t;
	++*(size_t *)arg;
}

static bool join_topics(void)
{
	static const struct hub_ops ops = {on_topic, on_topic};
	static const char *const names[] = {"a", "b", "a", "c"};
	struct subscription places[COUNT_OF(names)] = {{0}};
	size_t told = 0, joined = 0;
	struct hub h;
	int err = 0;

	hub_init(&h, 1, &ops, &told);
	while (joined < COUNT_OF(names) && !err) {
		err = hub_join(&h, span_of(names[joined]), &places[joined], &places[joined], false);
		joined += !err;
	}
	must(!err || (err == -ENOMEM && !places[joined].topic && !places[joined].listener));
	must(told == HASH_COUNT(h.topics)); /* nobody is told of a topic that came to nothing */
	for (size_t i = 0; i < joined; i++)
		hub_leave(&h, &places[i], 0);
	hub_done(&h);
	return err != 0;
}

static bool record_events(void)
{
	struct recent r;
	struct frame *f = frame_copy("abc", 3);

	if (!f)
		return true;
	recent_init(&r, 4, 100);
	int err = recent_prepare(&r);
	if (!err) {
		recent_start(&r);
		for (uint64_t i = 0; i < 9; i++)
			recent_add(&r, i, f);
		recent_done(&r);
	}
	must(f->refs == 1);
	frame_unref(f);
	return err == -ENOMEM;
}

static bool make_replay(void)
{
	struct replay *r = replay_new(3, (struct event_id){1, 2}, true);
	free(r);
	return !r;
}

static bool read_tail(void)
{
	static const char message[] = "{\"event\":\"a\\u0062\",\"data\":\"x\\ny\",\"id\":\"3-0\","
				      "\"prev\":\"1-0\"}";
	const struct event_place place = {.n_partitions = 0};
	struct tail *t = tail_new(2);
	int err = t ? tail_add(t, (struct event_id){3, 0}, span_of(message), 200, &place) : -ENOMEM;

	must(!t || t->n == (err == 0));
	tail_free(t);
	return err == -ENOMEM;
}

static bool queue_numbers(void)
{
	struct fifo f = {0};
	int err = 0;

	for (uint64_t i = 0; i < 40 && !err; i++)
		err = fifo_push(&f, i);
	must(f.count == 0 || *fifo_at(&f, 0) == 0);
	fifo_done(&f);
	return err == -ENOMEM;
}

static bool make_wheel(void)
{
	struct wheel w;
	int err = wheel_init(&w, 60);
	if (!err)
		wheel_done(&w);
	return err == -ENOMEM;
}

static bool make_filter(void)
{
	const struct span names[] = {{"a", 1}, {"bc", 2}};
	struct filter *f = filter_new(names, 2);
	must(!f || (filter_passes(f, span_of("bc")) && !filter_passes(f, span_of("b"))));
	filter_free(f);
	return !f;
}

static bool total_topics(void)
{
	static struct topic_report reports[2]; /* large */
	static struct topic_totals totals;
	return topic_report_total(reports, 2, &totals) == -ENOMEM;
}

static bool total_stats(void)
{
	static struct stats stats;
	const struct stats *all[] = {&stats, &stats};
	struct stats_total total;
	return stats_total(all, 2, &total) == -ENOMEM;
}

static bool allow_origins(void)
{
	struct cors c = {0};
	int err = cors_add(&c, "https://a");
	if (!err)
		err = cors_add(&c, "https://b");
	must(c.n_origins == 2 || err == -ENOMEM);
	cors_done(&c);
	return err != 0;
}

static bool keep_verdict(void)
{
	static const struct auth_verdict denial = {.outcome = AUTH_DENY, .status = 403};
	struct auth_key key = {{7}};
	struct auth_verdict got;
	struct verdicts v;
	int err = verdicts_init(&v, 4);

	if (!err) {
		err = verdicts_keep(&v, &key, span_of("t"), &denial, 9);
		must(verdicts_find(&v, &key, 1, &got) == !err);
		verdicts_done(&v);
	}
	return err == -ENOMEM;
}

static bool format_batch(void)
{
	static const struct span topics[] = {{"a", 1}, {"b", 1}};
	static const uint16_t which[] = {1, 0};
	const struct auth_batch question = {topics, which, 2};
	struct buf b;

	buf_init(&b, 4096);
	int err = auth_batch_format(&question, &b);
	must(err || strcmp(b.data, "{\"topics\":[\"b\",\"a\"]}") == 0);
	buf_done(&b);
	return err == -ENOMEM;
}

static bool build_url(const char *setting)
{
	struct auth_url u;
	struct buf b;
	int err = auth_url_init(&u, setting);

	buf_init(&b, 4096);
	if (!err) {
		err = auth_url_for(&u, span_of("a/b"), &b);
		auth_url_done(&u);
	}
	buf_done(&b);
	return err != 0;
}

static bool build_tcp_url(void)
{
	return build_url("http://h/a?t={topic}");
}

static bool build_unix_url(void)
{
	return build_url("unix:/run/a.sock:/auth");
}

START_TEST(whoever_keeps_something_reports_it_and_keeps_nothing_by_halves)
{
	static const oom_action actions[] = {
		fill_queue,     join_topics,  record_events, make_wheel,    queue_numbers,
		make_filter,    total_topics, total_stats,   allow_origins, build_tcp_url,
		build_unix_url, make_replay,  read_tail,     keep_verdict,  format_batch,
	};

	for (size_t i = 0; i < COUNT_OF(actions); i++)
		ck_assert_uint_ge(oom_exhaust(actions[i]), 1);
}
END_TEST

/* ---- a request ---- */

static bool ask(const char *bytes)
{
	struct ask *a = asking_bytes(ROUTE_PUBLIC, bytes, strlen(bytes));
	must(!a || a->kind == ASK_STREAM);
	ask_free(a);
	return !a;
}

static bool ask_by_get(void)
{
	return ask("GET /events?topic=a,b&events=x HTTP/1.1\r\nHost: x\r\nCookie: c\r\n\r\n");
}

static bool ask_with_ticket(void)
{
	static const char bytes[] = "GET /events?topic=a&ticket=x.y.z HTTP/1.1\r\nHost: x\r\n\r\n";
	struct route_config config = asking_config();

	config.ticket_cookie = "";
	struct ask *a = asking_with(&config, ROUTE_PUBLIC, bytes, sizeof(bytes) - 1);
	must(!a || (a->kind == ASK_STREAM && span_is(a->uri, "/events?topic=a")));
	ask_free(a);
	return !a;
}

static bool ask_by_post(void)
{
	return ask("POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
		   "Content-Length: 22\r\n\r\n{\"topics\":[\"a\\u0062\"]}");
}

START_TEST(a_request_without_memory_is_no_ask_and_no_error_of_the_client)
{
	ck_assert_uint_ge(oom_exhaust(ask_by_get), 5);
	ck_assert_uint_ge(oom_exhaust(ask_by_post), 5);
	ck_assert_uint_ge(oom_exhaust(ask_with_ticket), 6);
}
END_TEST

RUN_TESTS("streamer_oom", whoever_makes_a_frame_gives_null_without_memory,
	  whoever_keeps_something_reports_it_and_keeps_nothing_by_halves,
	  a_request_without_memory_is_no_ask_and_no_error_of_the_client)
