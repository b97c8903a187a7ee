/* test_revocations: who may not hear what, for as long as it was said. */
#include "streamer/revocations.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"

static struct control_selector named(const char *user, const char *topic)
{
	struct control_selector who = {.user_len = strlen(user), .topic_len = strlen(topic)};

	memcpy(who.user, user, who.user_len);
	memcpy(who.topic, topic, who.topic_len);
	return who;
}

static void add(struct revocations *r, const char *user, const char *topic, double until)
{
	struct control_selector who = named(user, topic);
	ck_assert_int_eq(revocations_add(r, &who, until), 0);
}

static void lift(struct revocations *r, const char *user, const char *topic)
{
	struct control_selector who = named(user, topic);
	revocations_lift(r, &who);
}

static bool hold(const struct revocations *r, const char *user, const char *topic, double now)
{
	return revocations_hold(r, span_of(user), span_of(topic), now);
}

/* The slow and simple way: each one of them is asked whether it means them. */
START_TEST(a_question_finds_whatever_selector_means_user_and_topic)
{
	static const char *const users[] = {"", "42", "4", "421"};
	static const char *const patterns[] = {"", "a", "ab", "*", "a*", "ab*", "abc*", "b*"};
	static const char *const topics[] = {"a", "ab", "abc", "b", "c"};
	static const char *const who[] = {NULL, "42", "4", "9"};

	for (size_t u = 0; u < COUNT_OF(users); u++)
		for (size_t p = 0; p < COUNT_OF(patterns); p++) {
			struct control_selector selector = named(users[u], patterns[p]);
			struct revocations r;

			revocations_init(&r);
			ck_assert_int_eq(revocations_add(&r, &selector, 10), 0);
			for (size_t i = 0; i < COUNT_OF(who); i++)
				for (size_t t = 0; t < COUNT_OF(topics); t++)
					ck_assert(hold(&r, who[i], topics[t], 9) ==
						  control_selects(&selector, span_of(who[i]),
								  span_of(topics[t])));
			revocations_done(&r);
			ck_assert_uint_eq(r.n, 0);
		}
}
END_TEST

START_TEST(each_ends_at_its_time_or_when_it_is_lifted_and_takes_no_other_along)
{
	struct revocations r;

	revocations_init(&r);
	add(&r, "42", "", 10);
	add(&r, "42", "a", 20);
	add(&r, "", "r:*", 30);
	ck_assert(hold(&r, "42", "b", 9) && !hold(&r, "42", "b", 10));
	ck_assert(hold(&r, "42", "a", 19) && hold(&r, "7", "r:1", 29));
	lift(&r, "42", "b");
	lift(&r, "42", "r:*");
	ck_assert_uint_eq(r.n, 3);
	revocations_expire(&r, 10);
	ck_assert_uint_eq(r.n, 2);
	lift(&r, "42", "a");
	ck_assert(!hold(&r, "42", "a", 11) && hold(&r, "7", "r:1", 11));
	lift(&r, "", "r:*");
	ck_assert(!hold(&r, "7", "r:1", 11));
	ck_assert_uint_eq(r.n, 0);
	revocations_done(&r);
}
END_TEST

START_TEST(the_end_never_moves_nearer)
{
	struct revocations r;

	revocations_init(&r);
	add(&r, "42", "", 20);
	add(&r, "42", "", 10);
	ck_assert(hold(&r, "42", "a", 19));
	add(&r, "42", "", 30);
	ck_assert(hold(&r, "42", "a", 29));
	ck_assert_uint_eq(r.n, 1);
	revocations_done(&r);
}
END_TEST

START_TEST(many_are_told_apart)
{
	struct revocations r;
	char user[16];

	revocations_init(&r);
	for (int i = 0; i < 2000; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		add(&r, user, i % 2 ? "a" : "a*", 10 + i);
	}
	revocations_expire(&r, 1010);
	ck_assert_uint_eq(r.n, 999);
	ck_assert(hold(&r, "u1500", "ab", 1011) && !hold(&r, "u1501", "ab", 1011));
	ck_assert(!hold(&r, "u999", "a", 1011));
	revocations_done(&r);
}
END_TEST

RUN_TESTS("revocations", a_question_finds_whatever_selector_means_user_and_topic,
	  each_ends_at_its_time_or_when_it_is_lifted_and_takes_no_other_along,
	  the_end_never_moves_nearer, many_are_told_apart)
