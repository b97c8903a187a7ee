/* test_hub: who hears what, and when Redis is asked. Start reading here: join and leave make no
 * sound but at the first and the last listener of a topic. */
#include "streamer/hub.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"

#define LINGER 5.

/* Writes down what the hub asked of Redis: "+a" subscribe, "-a" unsubscribe. */
struct diary {
	char text[200];
};

static void write_down(struct diary *d, char sign, const struct topic *t)
{
	size_t len = strlen(d->text);
	snprintf(d->text + len, sizeof(d->text) - len, "%c%s", sign, t->name);
}

static void on_wanted(void *arg, struct topic *t)
{
	write_down(arg, '+', t);
}

static void on_unwanted(void *arg, struct topic *t)
{
	write_down(arg, '-', t);
}

static const struct hub_ops ops = {.wanted = on_wanted, .unwanted = on_unwanted};

static int join(struct hub *h, const char *name, struct subscription *s, const char *listener)
{
	return hub_join(h, span_of(name), s, (void *)(uintptr_t)listener, false);
}

static size_t heard_by(struct hub *h, const char *name, char *who)
{
	struct topic *t = hub_find(h, span_of(name));
	struct subscription *s, *following;
	size_t n = 0;

	*who = '\0';
	if (!t)
		return 0;
	TOPIC_EACH(t, s, following)
	{
		strcat(who, s->listener);
		n++;
	}
	ck_assert_uint_eq(n, t->listeners);
	return n;
}

START_TEST(only_the_first_listener_subscribes_and_only_the_last_one_unsubscribes)
{
	struct hub h;
	struct diary d = {""};
	struct subscription one = {0}, two = {0};

	hub_init(&h, LINGER, &ops, &d);
	ck_assert_int_eq(join(&h, "a", &one, "1"), 0);
	ck_assert_int_eq(join(&h, "a", &two, "2"), 0);
	ck_assert_str_eq(d.text, "+a");
	hub_leave(&h, &one, 10);
	hub_expire(&h, 100);
	ck_assert_str_eq(d.text, "+a");
	hub_leave(&h, &two, 100);
	hub_expire(&h, 100 + LINGER);
	ck_assert_str_eq(d.text, "+a-a");
	ck_assert_ptr_null(hub_find(&h, span_of("a")));
	hub_done(&h);
}
END_TEST

START_TEST(a_topic_lingers_and_who_comes_back_in_time_finds_it_subscribed)
{
	struct hub h;
	struct diary d = {""};
	struct subscription s = {0};

	hub_init(&h, LINGER, &ops, &d);
	join(&h, "a", &s, "1");
	uint64_t serial = s.topic->serial;
	hub_leave(&h, &s, 0);
	hub_expire(&h, LINGER - .001);
	ck_assert_int_eq(join(&h, "a", &s, "1"), 0);
	ck_assert_uint_eq(s.topic->serial, serial);
	hub_expire(&h, 1000);
	ck_assert_str_eq(d.text, "+a");
	hub_leave(&h, &s, 1000);
	hub_expire(&h, 1000 + LINGER);
	join(&h, "a", &s, "1");
	ck_assert_uint_ne(s.topic->serial, serial);
	ck_assert_str_eq(d.text, "+a-a+a");
	hub_leave(&h, &s, 2000);
	hub_done(&h);
}
END_TEST

START_TEST(a_leaving_listener_takes_nobody_else_along)
{
	struct hub h;
	struct diary d = {""};
	struct subscription a[3] = {{0}}, b = {0};
	char who[16];

	hub_init(&h, LINGER, &ops, &d);
	join(&h, "a", &a[0], "0");
	join(&h, "a", &a[1], "1");
	join(&h, "a", &a[2], "2");
	join(&h, "b", &b, "1");
	hub_leave(&h, &a[1], 0);
	hub_leave(&h, &a[1], 0); /* twice is harmless */
	ck_assert_uint_eq(heard_by(&h, "a", who), 2);
	ck_assert_str_eq(who, "02");
	ck_assert_uint_eq(heard_by(&h, "b", who), 1);
	hub_leave(&h, &a[2], 0); /* the last of the list */
	hub_leave(&h, &a[0], 0); /* the only one */
	hub_expire(&h, LINGER);
	ck_assert_uint_eq(heard_by(&h, "b", who), 1);
	ck_assert_str_eq(d.text, "+a+b-a");
	hub_leave(&h, &b, 0);
	hub_done(&h);
}
END_TEST

START_TEST(a_listener_may_leave_while_its_topic_is_walked)
{
	struct hub h;
	struct diary d = {""};
	struct subscription s[4] = {{0}}, *at, *following;
	int met = 0;

	hub_init(&h, LINGER, &ops, &d);
	for (size_t i = 0; i < 4; i++)
		join(&h, "a", &s[i], "x");
	TOPIC_EACH(s[0].topic, at, following)
	{
		met++;
		hub_leave(&h, at, 0);
	}
	ck_assert_int_eq(met, 4);
	hub_done(&h);
}
END_TEST

START_TEST(names_are_told_apart_by_all_of_their_bytes)
{
	static const char *const names[] = {"a", "A", "aa", "a.a", "a:", "a:b", "a:b:c"};
	struct hub h;
	struct diary d = {""};
	struct subscription s[COUNT_OF(names)] = {{0}};

	hub_init(&h, LINGER, &ops, &d);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		join(&h, names[i], &s[i], "x");
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct topic *t = hub_find(&h, (struct span){names[i], strlen(names[i])});
		ck_assert_ptr_eq(t, s[i].topic);
		ck_assert_str_eq(t->name, names[i]);
		ck_assert_uint_eq(t->listeners, 1);
	}
	ck_assert_ptr_null(hub_find(&h, span_of("b")));
	for (size_t i = 0; i < COUNT_OF(names); i++)
		hub_leave(&h, &s[i], 0);
	hub_done(&h);
}
END_TEST

START_TEST(listeners_of_several_topics_stand_before_the_others)
{
	struct hub h;
	struct diary d = {""};
	struct subscription s[5] = {{0}};
	static const bool several[] = {false, true, false, true, false};
	static const char *const who[] = {"1", "2", "3", "4", "5"};
	char heard[8];

	hub_init(&h, LINGER, &ops, &d);
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(
			hub_join(&h, span_of("a"), &s[i], (void *)(uintptr_t)who[i], several[i]),
			0);
	heard_by(&h, "a", heard);
	ck_assert_str_eq(heard, "42135");
	hub_leave(&h, &s[3], 0);
	hub_leave(&h, &s[4], 0);
	hub_leave(&h, &s[2], 0);
	ck_assert_int_eq(hub_join(&h, span_of("a"), &s[4], (void *)(uintptr_t)who[4], false), 0);
	heard_by(&h, "a", heard);
	ck_assert_str_eq(heard, "215");
	for (size_t i = 0; i < 5; i++)
		hub_leave(&h, &s[i], 0);
	hub_done(&h);
}
END_TEST

START_TEST(who_is_set_aside_stands_behind_all_others_until_he_is_taken_back)
{
	struct hub h;
	struct diary d = {""};
	struct subscription s[6] = {{0}};
	static const char *const who[] = {"1", "2", "3", "4", "5", "6"};
	char heard[8];

	hub_init(&h, LINGER, &ops, &d);
	for (size_t i = 0; i < 4; i++)
		hub_join(&h, span_of("a"), &s[i], (void *)(uintptr_t)who[i], i == 0);
	hub_set_aside(&s[2]);
	hub_set_aside(&s[1]);
	hub_join(&h, span_of("a"), &s[4], (void *)(uintptr_t)who[4], false);
	hub_join(&h, span_of("a"), &s[5], (void *)(uintptr_t)who[5], true);
	heard_by(&h, "a", heard);
	ck_assert_str_eq(heard, "614532");
	ck_assert_ptr_eq(s[1].topic->aside, &s[2]);
	hub_take_back(&s[2]);
	heard_by(&h, "a", heard);
	ck_assert_str_eq(heard, "614532");
	ck_assert_ptr_eq(s[1].topic->aside, &s[1]);
	hub_set_aside(&s[3]);
	hub_take_back(&s[1]);
	heard_by(&h, "a", heard);
	ck_assert_str_eq(heard, "615324");
	hub_leave(&h, &s[3], 0); /* while it is aside */
	ck_assert_ptr_null(s[0].topic->aside);
	hub_join(&h, span_of("a"), &s[3], (void *)(uintptr_t)who[3], false);
	heard_by(&h, "a", heard);
	ck_assert_str_eq(heard, "615324");
	for (size_t i = 0; i < 6; i++)
		hub_set_aside(&s[i]);
	for (size_t i = 0; i < 6; i++)
		hub_leave(&h, &s[i], 0);
	hub_done(&h);
}
END_TEST

START_TEST(a_place_that_is_moved_stays_where_it_is_in_its_topic)
{
	struct hub h;
	struct diary d = {""};
	static const char *const who[] = {"1", "2", "3"};
	struct subscription s[3] = {{0}}, moved[3] = {{0}}, nowhere = {0};
	char heard[8];

	hub_init(&h, LINGER, &ops, &d);
	for (size_t i = 0; i < 3; i++)
		join(&h, "a", &s[i], who[i]);
	hub_set_aside(&s[2]);
	for (size_t i = 0; i < 3; i++) {
		hub_move(&s[i], &moved[i]);
		ck_assert_ptr_null(s[i].topic);
		heard_by(&h, "a", heard);
		ck_assert_str_eq(heard, "123");
	}
	ck_assert_ptr_eq(moved[0].topic->aside, &moved[2]);
	ck_assert_ptr_eq(moved[0].topic->last, &moved[2]);
	hub_move(&nowhere, &s[0]);
	ck_assert_ptr_null(s[0].topic);
	hub_leave(&h, &s[0], 0);
	hub_leave(&h, &moved[1], 0);
	heard_by(&h, "a", heard);
	ck_assert_str_eq(heard, "13");
	hub_leave(&h, &moved[0], 0);
	hub_leave(&h, &moved[2], 0);
	hub_done(&h);
}
END_TEST

RUN_TESTS("hub", a_place_that_is_moved_stays_where_it_is_in_its_topic,
	  only_the_first_listener_subscribes_and_only_the_last_one_unsubscribes,
	  a_topic_lingers_and_who_comes_back_in_time_finds_it_subscribed,
	  a_leaving_listener_takes_nobody_else_along,
	  a_listener_may_leave_while_its_topic_is_walked,
	  names_are_told_apart_by_all_of_their_bytes,
	  listeners_of_several_topics_stand_before_the_others,
	  who_is_set_aside_stands_behind_all_others_until_he_is_taken_back)
