/* test_verdicts: a bounded table of verdicts gives back what was put in, until it ends. */
#include "streamer/verdicts.h"

#include <string.h>

#include "tests/unit/run.h"

static struct auth_key key_of(unsigned n)
{
	struct auth_key key = {{0}};
	memcpy(key.bytes, &n, sizeof(n));
	return key;
}

static void keep(struct verdicts *v, unsigned n, double until)
{
	struct auth_verdict verdict = {.outcome = AUTH_ALLOW, .status = 200 + n % 100};
	struct auth_key key = key_of(n);
	ck_assert_int_eq(verdicts_keep(v, &key, span_of("t"), &verdict, until), 0);
}

static bool has(const struct verdicts *v, unsigned n, double now)
{
	struct auth_key key = key_of(n);
	struct auth_verdict got;
	bool found = verdicts_find(v, &key, now, &got);

	if (found && (got.status != 200 + n % 100 || got.outcome != AUTH_ALLOW))
		ck_abort_msg("another one's verdict");
	return found;
}

START_TEST(a_denial_comes_back_with_its_words)
{
	static const struct auth_verdict denials[] = {
		{.outcome = AUTH_DENY, .status = 401, .www_authenticate = "Bearer", .detail = "no"},
		{.outcome = AUTH_DENY, .status = 403, .detail = "no"},
		{.outcome = AUTH_DENY, .status = 401, .www_authenticate = "Bearer"},
		{.outcome = AUTH_DENY, .status = 403},
	};
	struct verdicts v;

	ck_assert_int_eq(verdicts_init(&v, 10), 0);
	for (unsigned i = 0; i < COUNT_OF(denials); i++) {
		struct auth_key key = key_of(i);
		struct auth_verdict got;
		ck_assert_int_eq(verdicts_keep(&v, &key, span_of("t"), &denials[i], 5), 0);
		ck_assert(verdicts_find(&v, &key, 4, &got));
		ck_assert_int_eq(got.outcome, AUTH_DENY);
		ck_assert_uint_eq(got.status, denials[i].status);
		ck_assert_str_eq(got.detail, denials[i].detail);
		ck_assert_str_eq(got.www_authenticate, denials[i].www_authenticate);
	}
	verdicts_done(&v);
	verdicts_done(&v);
}
END_TEST

START_TEST(a_later_verdict_of_a_key_stands_for_the_earlier_one)
{
	struct verdicts v;

	ck_assert_int_eq(verdicts_init(&v, 1), 0);
	keep(&v, 1, 9);
	keep(&v, 1, 5);
	ck_assert_uint_eq(v.n, 1);
	ck_assert(has(&v, 1, 4.9) && !has(&v, 1, 5));
	verdicts_done(&v);
}
END_TEST

START_TEST(a_full_table_keeps_those_that_end_last)
{
	struct verdicts v;

	ck_assert_int_eq(verdicts_init(&v, 3), 0);
	keep(&v, 1, 10), keep(&v, 2, 30), keep(&v, 3, 20);
	keep(&v, 4, 5);
	ck_assert(has(&v, 1, 0) && has(&v, 2, 0) && has(&v, 3, 0) && !has(&v, 4, 0));
	keep(&v, 5, 15);
	ck_assert(!has(&v, 1, 0) && has(&v, 2, 0) && has(&v, 3, 0) && has(&v, 5, 0));
	verdicts_done(&v);
}
END_TEST

/* Against a plain array, with many of the same moment. */
START_TEST(ends_come_in_order_whatever_was_put_in_and_replaced)
{
	enum { KEYS = 64 };
	double ends[KEYS] = {0};
	unsigned chance = 1;
	struct verdicts v;

	ck_assert_int_eq(verdicts_init(&v, KEYS), 0);
	for (double now = 0; now < 200; now++) {
		for (unsigned i = 0; i < 20; i++) {
			chance = chance * 1103515245 + 12345;
			unsigned key = chance >> 16 & (KEYS - 1);
			ends[key] = now + 1 + (chance >> 8 & 31);
			keep(&v, key, ends[key]);
		}
		verdicts_expire(&v, now);
		size_t alive = 0;
		for (unsigned k = 0; k < KEYS; k++) {
			ASSERT_QUIETLY(has(&v, k, now) == (ends[k] > now));
			alive += ends[k] > now;
		}
		ASSERT_QUIETLY(v.n == alive);
	}
	verdicts_done(&v);
}
END_TEST

/* user, topic */
static void keep_for(struct verdicts *v, unsigned n, const char *user, const char *topic)
{
	struct auth_verdict verdict = {.outcome = AUTH_ALLOW, .status = 200, .until = n};
	struct auth_key key = key_of(n);

	strcpy(verdict.user, user);
	ck_assert_int_eq(verdicts_keep(v, &key, span_of(topic), &verdict, 50), 0);
}

static struct control_selector named(const char *user, const char *topic)
{
	struct control_selector who = {.user_len = strlen(user), .topic_len = strlen(topic)};

	memcpy(who.user, user, who.user_len);
	memcpy(who.topic, topic, who.topic_len);
	return who;
}

START_TEST(what_is_named_is_forgotten_and_so_is_what_may_be)
{
	static const struct {
		const char *user, *topic, *left; /* the letters of those that stay */
	} cases[] = {
		{"42", "", "cd"},    {"42", "a", "bcde"}, {"", "a", "bde"}, {"", "r:*", "acd"},
		{"9", "x", "abcde"}, {"", "", ""},        {"7", "*", "ab"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct control_selector who = named(cases[i].user, cases[i].topic);
		char left[8] = "";
		struct verdicts v;

		ck_assert_int_eq(verdicts_init(&v, 10), 0);
		keep_for(&v, 'a', "42", "a");
		keep_for(&v, 'b', "42", "r:1");
		keep_for(&v, 'c', "7", "a");
		keep_for(&v, 'd', "7", "b");
		keep_for(&v, 'e', "", "r:2");
		verdicts_forget(&v, &who);
		for (unsigned n = 'a'; n <= 'e'; n++) {
			struct auth_key key = key_of(n);
			struct auth_verdict got;
			if (!verdicts_find(&v, &key, 0, &got))
				continue;
			left[strlen(left)] = (char)n;
			ck_assert(got.until == n);
			ck_assert_str_eq(got.user, n < 'c' ? "42" : n < 'e' ? "7" : "");
		}
		ck_assert_str_eq(left, cases[i].left);
		verdicts_done(&v);
	}
}
END_TEST

RUN_TESTS("verdicts", what_is_named_is_forgotten_and_so_is_what_may_be,
	  a_denial_comes_back_with_its_words, a_later_verdict_of_a_key_stands_for_the_earlier_one,
	  a_full_table_keeps_those_that_end_last,
	  ends_come_in_order_whatever_was_put_in_and_replaced)
