/* test_topic_report: what workers say of their topics, and what that makes together: exactly where
 * it can be, and about as much where names are too many to be told. */
#include "streamer/topic_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "streamer/hub.h"
#include "streamer/sketch.h"
#include "tests/unit/run.h"

static void ignore(void *arg, struct topic *t)
{
	(void)arg, (void)t;
}

static const struct hub_ops hub_ops = {.wanted = ignore, .unwanted = ignore};

struct crowd {
	struct hub hub;
	struct subscription places[20000];
	size_t n;
};

static struct crowd *crowd_new(void)
{
	struct crowd *c = calloc(1, sizeof(*c));
	ck_assert_ptr_nonnull(c);
	hub_init(&c->hub, 5, &hub_ops, NULL);
	return c;
}

static void listen_to(struct crowd *c, const char *kind, unsigned number, unsigned times)
{
	char name[40];
	int len = snprintf(name, sizeof(name), "%s%u", kind, number);

	for (unsigned i = 0; i < times; i++, c->n++)
		ASSERT_QUIETLY(hub_join(&c->hub, (struct span){name, (size_t)len}, &c->places[c->n],
					c, false) == 0);
}

static void crowd_free(struct crowd *c)
{
	for (size_t i = 0; i < c->n; i++)
		hub_leave(&c->hub, &c->places[i], 0);
	hub_done(&c->hub);
	free(c);
}

static struct topic_report *report_on(const struct crowd *c, struct topic_report *r)
{
	const struct hub *hub = &c->hub;
	topic_report_write(r, &hub, 1, 42);
	return r;
}

START_TEST(one_workers_topics_are_counted_exactly_and_the_largest_named_in_order)
{
	struct topic_report *r = calloc(1, sizeof(*r));
	struct topic_totals *t = calloc(1, sizeof(*t));
	struct crowd *c = crowd_new();

	ck_assert(r && t);
	for (unsigned i = 0; i < 150; i++)
		listen_to(c, "t", (i * 67) % 150, (i * 67) % 150 + 1);
	for (unsigned i = 0; i < 500; i++)
		listen_to(c, "small", i, 1);
	hub_leave(&c->hub, &c->places[c->n - 1], 0); /* it lingers, without a listener */
	ck_assert_int_eq(topic_report_total(report_on(c, r), 1, t), 0);
	ck_assert_uint_eq(t->active, 649);
	ck_assert_uint_eq(t->n, TOTAL_TOPICS);
	for (unsigned i = 0; i < TOTAL_TOPICS; i++) {
		char name[20];
		snprintf(name, sizeof(name), "t%u", 149 - i);
		ck_assert_str_eq(t->largest[i].name, name);
		ck_assert_uint_eq(t->largest[i].listeners, 150 - i);
	}
	crowd_free(c);
	free(r);
	free(t);
}
END_TEST

START_TEST(a_topic_of_several_workers_counts_once_with_the_listeners_of_all)
{
	struct topic_report *r = calloc(2, sizeof(*r));
	struct topic_totals *t = calloc(1, sizeof(*t));
	struct crowd *a = crowd_new(), *b = crowd_new();

	ck_assert(r && t);
	listen_to(a, "common", 1, 2);
	listen_to(a, "a", 1, 4);
	listen_to(b, "common", 1, 3);
	listen_to(b, "b", 1, 1);
	report_on(a, &r[0]);
	report_on(b, &r[1]);
	ck_assert_int_eq(topic_report_total(r, 2, t), 0);
	ck_assert_uint_eq(t->active, 3);
	ck_assert_uint_eq(t->n, 3);
	ck_assert_str_eq(t->largest[0].name, "common1");
	ck_assert_uint_eq(t->largest[0].listeners, 5);
	ck_assert_str_eq(t->largest[1].name, "a1");
	ck_assert_str_eq(t->largest[2].name, "b1");
	crowd_free(a);
	crowd_free(b);
	free(r);
	free(t);
}
END_TEST

START_TEST(several_workers_topics_are_counted_within_a_few_percent)
{
	struct topic_report *r = calloc(2, sizeof(*r));
	struct topic_totals *t = calloc(1, sizeof(*t));
	struct crowd *a = crowd_new(), *b = crowd_new();

	ck_assert(r && t);
	for (unsigned i = 0; i < 20000; i++)
		listen_to(a, "t", i, 1);
	for (unsigned i = 10000; i < 30000; i++)
		listen_to(b, "t", i, 1);
	report_on(a, &r[0]);
	report_on(b, &r[1]);
	ck_assert_int_eq(topic_report_total(r, 2, t), 0);
	ck_assert_uint_gt(t->active, 29000); /* four standard errors */
	ck_assert_uint_lt(t->active, 31000);
	crowd_free(a);
	crowd_free(b);
	free(r);
	free(t);
}
END_TEST

static uint64_t scramble(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

START_TEST(a_sketch_is_right_from_none_to_millions)
{
	static const uint64_t stops[] = {0, 1, 2, 10, 1000, 30000, 50000, 100000, 2000000};
	struct sketch *s = malloc(sizeof(*s)), *half = malloc(sizeof(*half));
	uint64_t n = 0;

	ck_assert(s && half);
	sketch_clear(s);
	sketch_clear(half);
	for (size_t i = 0; i < COUNT_OF(stops); i++) {
		for (; n < stops[i]; n++) {
			sketch_add(n % 2 ? half : s, scramble(n + 1));
			sketch_add(half, scramble(n + 1));
		}
		sketch_merge(s, half);
		uint64_t said = sketch_count(s), slack = stops[i] * 4 / 100;
		ck_assert_uint_ge(said + slack, stops[i]);
		ck_assert_uint_le(said, stops[i] + slack);
	}
	free(s);
	free(half);
}
END_TEST

RUN_TESTS("topic_report", one_workers_topics_are_counted_exactly_and_the_largest_named_in_order,
	  a_topic_of_several_workers_counts_once_with_the_listeners_of_all,
	  several_workers_topics_are_counted_within_a_few_percent,
	  a_sketch_is_right_from_none_to_millions)
