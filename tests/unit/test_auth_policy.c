/* test_auth_policy: for how long an answer of the auth URL may be used again, and for whom: its
 * headers as they come, what they mean, and keys that keep listeners apart. */
#include "streamer/auth_policy.h"

#include <stdio.h>
#include <string.h>

#include "streamer/auth_fields.h"
#include "streamer/auth_memory.h"
#include "tests/unit/asking.h"
#include "tests/unit/run.h"

START_TEST(an_answer_is_good_for_as_long_as_it_says_and_not_at_all_in_doubt)
{
	static const struct {
		const char *cache_control, *age;
		uint32_t seconds;
		bool is_private;
	} cases[] = {
		{NULL, NULL, 0, false},
		{"", NULL, 0, false},
		{"max-age=60", NULL, 60, false},
		{"Max-Age=60", NULL, 60, false},
		{"private, max-age=60", NULL, 60, true},
		{"max-age=60,private=\"Set-Cookie, X\"", NULL, 60, true},
		{"public, max-age=60", NULL, 60, false},
		{"public", NULL, 0, false},
		{"private", NULL, 0, true},
		{"max-age=\"60\"", NULL, 60, false},
		{" max-age=60 ,must-revalidate", NULL, 60, false},
		{",,max-age=60,,", NULL, 60, false},
		{"max-age=60", "20", 40, false},
		{"max-age=60", "0", 60, false},
		{"max-age=60", "59", 1, false},
		{"max-age=60", "60", 0, false},
		{"max-age=60", "4000000000", 0, false},
		{"max-age=60", "x", 0, false},
		{"max-age=60", "", 0, false},
		{"max-age=60", "5, 6", 0, false},
		{"max-age=60", "-5", 0, false},
		{"no-store", NULL, 0, false},
		{"no-store, max-age=60", NULL, 0, false},
		{"max-age=60, No-Store", NULL, 0, false},
		{"max-age=60, no-cache", NULL, 0, false},
		{"max-age=60, no-cache=\"Set-Cookie\"", NULL, 0, false},
		{"no-store =x, max-age=60", NULL, 0, false},
		{"max-age=0", NULL, 0, false},
		{"max-age", NULL, 0, false},
		{"max-age=", NULL, 0, false},
		{"max-age=\"\"", NULL, 0, false},
		{"max-age=\"", NULL, 0, false},
		{"max-age=-1", NULL, 0, false},
		{"max-age=1.5", NULL, 0, false},
		{"max-age=6O", NULL, 0, false},
		{"max-age=60;", NULL, 0, false},
		{"max-age=60, max-age=30", NULL, 30, false},
		{"max-age=60, max-age=x", NULL, 0, false},
		{"max-age=2147483647", NULL, 2147483647, false},
		{"max-age=99999999999999999999999", NULL, 2147483647, false},
		{"s-maxage=60", NULL, 0, false},
		{"s-maxage=30, max-age=60", NULL, 30, false},
		{"s-maxage=60, max-age=30", NULL, 30, false},
		{"x=\"a, no-store, b\", max-age=60", NULL, 60, false},
		{"x=\"a\\\"\", max-age=60", NULL, 60, false},
		{"max-age=60, x=\"a, no-store", NULL, 0, false},
		{"max-age=60, x=\"a\\", NULL, 0, false},
		{"immutable", NULL, 0, false},
		{"stale-while-revalidate=60", NULL, 0, false},
		{"xmax-age=60", NULL, 0, false},
		{"max-agex=60", NULL, 0, false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct auth_policy p =
			auth_policy_read(span_of(cases[i].cache_control), span_of(cases[i].age));
		ck_assert_msg(p.seconds == cases[i].seconds, "%s, Age %s: %u",
			      cases[i].cache_control, cases[i].age, p.seconds);
		ck_assert(p.seconds == 0 || p.is_private == cases[i].is_private);
	}
}
END_TEST

START_TEST(what_an_answer_depends_on_is_learnt_once_and_a_star_is_refused)
{
	static const struct {
		const char *vary;
		bool good;
		size_t n;
	} cases[] = {
		{NULL, true, 0},
		{"", true, 0},
		{"Cookie", true, 0},
		{"cookie, AUTHORIZATION ,Origin,X-SSE-Topic", true, 0},
		{"Accept-Language", true, 1},
		{"accept-language, Accept-Language", true, 1},
		{"User-Agent,X-Forwarded-For", true, 3},
		{"*", false, 3},
		{"X-New, *", false, 3},
		{"X-New, \"", false, 3},
		{"X New", false, 3},
		{"X-New;q=1", false, 3},
		{"X-N\xc3\xa4", false, 3},
	};
	struct auth_vary v = {0};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ck_assert(auth_vary_learn(&v, span_of(cases[i].vary)) == cases[i].good);
		ck_assert_uint_eq(v.n, cases[i].n);
	}
	ck_assert(!auth_vary_learn(&v, (struct span){"\0a", 2}));
	ck_assert_str_eq(v.names[0], "Accept-Language");
	ck_assert_str_eq(v.names[2], "X-Forwarded-For");
}
END_TEST

START_TEST(more_names_than_there_is_room_for_are_refused_as_a_whole)
{
	char name[AUTH_VARY_NAME_BYTES + 1];
	struct auth_vary v = {0};

	memset(name, 'a', sizeof(name));
	ck_assert(!auth_vary_learn(&v, (struct span){name, AUTH_VARY_NAME_BYTES}));
	ck_assert(auth_vary_learn(&v, (struct span){name, AUTH_VARY_NAME_BYTES - 1}));
	for (size_t i = 1; i < AUTH_VARY_MAX; i++) {
		int len = snprintf(name, sizeof(name), "x%zu", i);
		ck_assert(auth_vary_learn(&v, (struct span){name, (size_t)len}));
	}
	ck_assert(!auth_vary_learn(&v, span_of("one-more")));
	ck_assert(auth_vary_learn(&v, span_of("x3")));
	ck_assert_uint_eq(v.n, AUTH_VARY_MAX);
}
END_TEST

START_TEST(lines_of_one_name_are_one_list_and_a_status_line_begins_anew)
{
	static const char *const lines[] = {
		"HTTP/1.1 103 Early Hints\r\n",
		"Cache-Control: no-store\r\n",
		"\r\n",
		"HTTP/1.1 200 OK\r\n",
		"cache-control:max-age=5\r\n",
		"CACHE-CONTROL: private \r\n",
		"Vary:\tCookie\r\n",
		"Cache-Control-X: no\r\n",
		"no colon\r\n",
		"\r\n",
	};
	struct auth_fields f = {0};

	for (size_t i = 0; i < COUNT_OF(lines); i++)
		auth_fields_add(&f, span_of(lines[i]));
	ck_assert(span_is(auth_fields_get(&f, AUTH_FIELD_CACHE_CONTROL), "max-age=5, private"));
	ck_assert(span_is(auth_fields_get(&f, AUTH_FIELD_VARY), "Cookie"));
	ck_assert_ptr_null(auth_fields_get(&f, AUTH_FIELD_AGE).at);
	ck_assert_ptr_null(auth_fields_get(&f, AUTH_FIELD_CHALLENGE).at);
}
END_TEST

START_TEST(a_header_that_is_too_long_forbids_what_it_might_have_forbidden)
{
	static const char *const names[AUTH_FIELDS] = {
		"WWW-Authenticate", "Cache-Control", "Vary", "Age", "X-SSE-User", "X-SSE-Expires"};
	static const char *const read_as[AUTH_FIELDS] = {NULL,       "no-store", "*",
							 "too long", "\x7f",     "too long"};

	for (size_t i = 0; i < AUTH_FIELDS; i++)
		for (size_t len = AUTH_FIELD_MAX_BYTES; len < AUTH_FIELD_MAX_BYTES + 2; len++) {
			struct auth_fields f = {0};
			char line[1024];
			int head = snprintf(line, sizeof(line), "%s: ", names[i]);

			memset(line + head, '1', len);
			memcpy(line + (size_t)head + len, "\r\n", 3);
			auth_fields_add(&f, span_of(line));
			struct span got = auth_fields_get(&f, (enum auth_field)i);
			if (len <= AUTH_FIELD_MAX_BYTES)
				ck_assert_uint_eq(got.len, len);
			else if (read_as[i])
				ck_assert(span_is(got, read_as[i]));
			else
				ck_assert_ptr_null(got.at);
		}
}
END_TEST

/* ---- who is who ---- */

#define REQUEST(target, headers) "GET " target " HTTP/1.1\r\nHost: x\r\n" headers "\r\n"

struct person {
	struct ask *ask;
	struct auth_asker asker;
};

static struct person person(const char *request, const char *ip)
{
	struct ask *a = asking(ROUTE_PUBLIC, request);
	return (struct person){a, {.ask = a, .client_ip = ip}};
}

static struct auth_who who(const char *request, const char *ip, const char *vary)
{
	struct person p = person(request, ip);
	struct auth_vary names = {0};
	struct auth_who w;

	ck_assert_int_eq(p.ask->kind, ASK_STREAM);
	ck_assert(auth_vary_learn(&names, span_of(vary)));
	ck_assert_int_eq(auth_who_read(p.ask, ip, &names, &w), 0);
	ask_free(p.ask);
	return w;
}

static bool same(const struct auth_key *a, const struct auth_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

START_TEST(what_tells_listeners_apart_tells_their_verdicts_and_calls_apart)
{
	static const struct {
		const char *a, *b, *ip, *vary;
		bool same_verdict, same_call;
	} cases[] = {
#define ONE REQUEST("/events?topic=a", "Cookie: s=1\r\n")
		{ONE, ONE, "::1", NULL, true, true},
		{ONE, ONE, "::2", NULL, true, false},
		{ONE, ONE, "::2", "X-Forwarded-For", false, false},
		{ONE, REQUEST("/events?topic=a", "Cookie: s=2\r\n"), "::1", NULL, false, false},
		{ONE, REQUEST("/events?topic=a", ""), "::1", NULL, false, false},
		{ONE, REQUEST("/events?topic=a", "Authorization: s=1\r\n"), "::1", NULL, false,
		 false},
		{ONE, REQUEST("/events?topic=a", "Cookie: s=1\r\nOrigin: https://a\r\n"), "::1",
		 NULL, false, false},
		/* A token in the query, which the auth URL sees, is one, too. */
		{ONE, REQUEST("/events?topic=a&token=x", "Cookie: s=1\r\n"), "::1", NULL, false,
		 false},
		{REQUEST("/events?topic=a&token=y", ""), REQUEST("/events?topic=a&token=x", ""),
		 "::1", NULL, false, false},
		{REQUEST("/events?topic=a&t=ab", ""), REQUEST("/events?topic=a&ta=b", ""), "::1",
		 NULL, false, false},
		/* What is for us says nothing of who asks. */
		{ONE, REQUEST("/events?topic=b,a&last_event_id=1-0&events=x", "Cookie: s=1\r\n"),
		 "::1", NULL, true, true},
		{ONE, REQUEST("/events?topic=b,a", "Cookie: s=1\r\n"), "::1", "X-Original-URI",
		 false, false},
		{ONE, REQUEST("/events/cursor?topic=a", "Cookie: s=1\r\n"), "::1", NULL, true,
		 false},
		{ONE, REQUEST("/events?topic=a", "Cookie: s=1\r\nUser-Agent: x\r\n"), "::1",
		 "User-Agent", true, true}, /* it is not handed on here */
		{ONE, "HEAD /events?topic=a HTTP/1.1\r\nHost: x\r\nCookie: s=1\r\n\r\n", "::1",
		 NULL, true, false},
		{ONE, "HEAD /events?topic=a HTTP/1.1\r\nHost: x\r\nCookie: s=1\r\n\r\n", "::1",
		 "x-original-method", false, false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct auth_who a = who(cases[i].a, "::1", cases[i].vary);
		struct auth_who b = who(cases[i].b, cases[i].ip, cases[i].vary);
		ck_assert_msg(same(&a.credentials, &b.credentials) == cases[i].same_verdict, "%zu",
			      i);
		ck_assert_msg(same(&a.call, &b.call) == cases[i].same_call, "%zu", i);
	}
}
END_TEST

START_TEST(topics_tell_keys_apart_and_nothing_runs_together)
{
	static const struct span topics[] = {{"a", 1}, {"b", 1}, {"ab", 2}, {"", 0}};
	static const uint16_t which[][2] = {{0, 1}, {1, 0}, {2, 3}, {3, 2}, {0, 0}};
	struct auth_key of = {{1}}, keys[10];
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(which); i++)
		for (size_t len = 1; len <= 2; len++)
			ck_assert_int_eq(auth_key_for(&of, topics, which[i], len, &keys[n++]), 0);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++) /* {0} stands there twice */
			ck_assert(same(&keys[i], &keys[k]) == (i == 8 && k == 0));
}
END_TEST

/* ---- what is remembered ---- */

static const struct auth_verdict allow = {.outcome = AUTH_ALLOW, .status = 204};

static bool knows(struct auth_memory *m, struct person *p, double now)
{
	struct auth_verdict v;
	return auth_memory_find(m, &p->asker, 0, now, &v) && v.outcome == AUTH_ALLOW;
}

static bool keeps(struct auth_memory *m, struct person *p, const char *cache_control,
		  const char *vary)
{
	struct auth_caching said = {.cache_control = span_of(cache_control), .vary = span_of(vary)};
	double until = auth_memory_learn(m, &p->asker, &said, 100);

	if (until > 0)
		auth_memory_keep(m, &p->asker, 0, &allow, until);
	return knows(m, p, 100);
}

START_TEST(a_verdict_lasts_from_its_question_on_and_for_its_credentials_alone)
{
	struct person one = person(ONE, "::1"), again = person(ONE, "::2");
	struct person two = person(REQUEST("/events?topic=a", "Cookie: s=2\r\n"), "::1");
	struct auth_memory m;

	ck_assert_int_eq(auth_memory_init(&m, 10), 0);
	ck_assert(!keeps(&m, &one, NULL, NULL));
	ck_assert(!keeps(&m, &one, "max-age=9", "*"));
	ck_assert(keeps(&m, &one, "private, max-age=9", "Cookie"));
	ck_assert(knows(&m, &again, 108.9));
	ck_assert(!knows(&m, &again, 109));
	ck_assert(!knows(&m, &two, 100));
	auth_memory_expire(&m, 109);
	ck_assert_uint_eq(m.verdicts.n, 0);
	auth_memory_done(&m);
	ask_free(one.ask), ask_free(again.ask), ask_free(two.ask);
}
END_TEST

START_TEST(a_private_answer_to_nobody_in_particular_is_not_kept)
{
	struct person nobody = person(REQUEST("/events?topic=a", "Origin: https://a\r\n"), "::1");
	struct person token = person(REQUEST("/events?topic=a&token=x", ""), "::1");
	struct auth_memory m;

	ck_assert_int_eq(auth_memory_init(&m, 10), 0);
	ck_assert(!keeps(&m, &nobody, "private, max-age=9", NULL));
	ck_assert(keeps(&m, &nobody, "max-age=9", NULL));
	ck_assert(keeps(&m, &token, "private, max-age=9", NULL));
	auth_memory_done(&m);
	ask_free(nobody.ask), ask_free(token.ask);
}
END_TEST

START_TEST(a_header_that_is_named_later_parts_who_was_one_before)
{
	struct person one = person(ONE, "::1"), far = person(ONE, "::2");
	struct auth_memory m;

	ck_assert_int_eq(auth_memory_init(&m, 10), 0);
	ck_assert(keeps(&m, &one, "max-age=9", NULL));
	ck_assert(knows(&m, &far, 100));
	ck_assert(keeps(&m, &one, "max-age=9", "X-Forwarded-For"));
	ck_assert(!knows(&m, &far, 100));
	ck_assert(keeps(&m, &far, "max-age=9", NULL));
	auth_memory_done(&m);
	ask_free(one.ask), ask_free(far.ask);
}
END_TEST

RUN_TESTS("auth_policy", an_answer_is_good_for_as_long_as_it_says_and_not_at_all_in_doubt,
	  what_an_answer_depends_on_is_learnt_once_and_a_star_is_refused,
	  more_names_than_there_is_room_for_are_refused_as_a_whole,
	  lines_of_one_name_are_one_list_and_a_status_line_begins_anew,
	  a_header_that_is_too_long_forbids_what_it_might_have_forbidden,
	  what_tells_listeners_apart_tells_their_verdicts_and_calls_apart,
	  topics_tell_keys_apart_and_nothing_runs_together,
	  a_verdict_lasts_from_its_question_on_and_for_its_credentials_alone,
	  a_private_answer_to_nobody_in_particular_is_not_kept,
	  a_header_that_is_named_later_parts_who_was_one_before)
