/* test_auth_reply: what an answer of the auth URL means, what many mean together, and the URL that
 * is asked. */
#include "streamer/auth_reply.h"

#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/utf8.h"
#include "streamer/auth_url.h"
#include "tests/unit/run.h"

static struct auth_verdict read_reply(unsigned status, const char *body)
{
	struct auth_verdict v;
	memset(&v, 0xff, sizeof(v));
	auth_reply_read(status, (struct span){NULL, 0}, span_of(body), &v);
	return v;
}

START_TEST(only_2xx_allows_and_only_401_and_403_deny)
{
	for (unsigned status = 0; status < 1000; status++) {
		struct auth_verdict v = read_reply(status, "{\"detail\":\"words\"}");
		enum auth_outcome expected = status >= 200 && status < 300    ? AUTH_ALLOW
					     : status == 401 || status == 403 ? AUTH_DENY
									      : AUTH_BUSY;
		ASSERT_QUIETLY(v.outcome == expected && v.status == status);
		ASSERT_QUIETLY(strcmp(v.detail, expected == AUTH_DENY ? "words" : "") == 0);
		ASSERT_QUIETLY(v.www_authenticate[0] == '\0');
	}
}
END_TEST

START_TEST(a_detail_is_passed_on_when_it_is_clean_text_of_a_json_object)
{
	static const char *const cases[][2] = {
		{"{\"detail\":\"no\"}", "no"},
		{" {\"a\":[1],\"detail\":\"n\\u00f6\\n\"} ", "n\xc3\xb6\n"},
		{"{\"detail\":\"first\",\"detail\":\"last\"}", "last"},
		{"{\"detail\":\"\"}", ""},
		{"{\"detail\":\"a\\u0000b\"}", ""},
		{"{\"detail\":7}", ""},
		{"{\"detail\":[{\"msg\":\"x\"}]}", ""},
		{"{\"Detail\":\"no\"}", ""},
		{"\"detail\"", ""},
		{"[\"detail\"]", ""},
		{"{\"detail\":\"no\"", ""},
		{"{'detail':'no'}", ""},
		{"{\"detail\":\"no\"} x", ""},
		{"{\"detail\":\"\xff\"}", ""},
		{"{\"detail\":\"\\ud800\"}", ""},
		{"<html>no</html>", ""},
		{"", ""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct auth_verdict v = read_reply(403, cases[i][0]);
		ck_assert_int_eq(v.outcome, AUTH_DENY);
		ck_assert_str_eq(v.detail, cases[i][1]);
	}
}
END_TEST

/* One character of each length, pushed over the limit byte by byte. */
START_TEST(a_long_detail_is_cut_between_characters)
{
	static const char *const characters[] = {"a", "\xc3\xa4", "\xe2\x82\xac",
						 "\xf0\x9f\x98\x80"};

	for (size_t c = 0; c < COUNT_OF(characters); c++) {
		size_t width = strlen(characters[c]);
		for (size_t lead = AUTH_DETAIL_MAX_BYTES - 6; lead <= AUTH_DETAIL_MAX_BYTES;
		     lead++) {
			char body[2048] = "{\"detail\":\"";
			size_t len = strlen(body);
			memset(body + len, '.', lead);
			len += lead;
			for (int i = 0; i < 4; i++, len += width)
				memcpy(body + len, characters[c], width);
			memcpy(body + len, "\"}", 3);
			struct auth_verdict v = read_reply(401, body);
			size_t whole = lead + (AUTH_DETAIL_MAX_BYTES - lead) / width * width;
			if (whole > lead + 4 * width)
				whole = lead + 4 * width;
			ASSERT_QUIETLY(strlen(v.detail) == whole);
			ASSERT_QUIETLY(utf8_valid(v.detail, whole));
		}
	}
}
END_TEST

START_TEST(a_challenge_is_passed_on_whole_and_printable_or_not_at_all)
{
	char at_limit[AUTH_HEADER_MAX_BYTES + 1];
	struct auth_verdict v;
	static const char *const refused[] = {"Bearer\r\nX: y", "a\tb", "\xc3\xa4", "a\x7f",
					      "\x01"};

	memset(at_limit, 'a', sizeof(at_limit));
	auth_reply_read(401, span_of("Bearer realm=\"x\""), span_of(""), &v);
	ck_assert_str_eq(v.www_authenticate, "Bearer realm=\"x\"");
	auth_reply_read(401, (struct span){at_limit, AUTH_HEADER_MAX_BYTES - 1}, span_of(""), &v);
	ck_assert_uint_eq(strlen(v.www_authenticate), AUTH_HEADER_MAX_BYTES - 1);
	auth_reply_read(401, (struct span){at_limit, AUTH_HEADER_MAX_BYTES}, span_of(""), &v);
	ck_assert_str_eq(v.www_authenticate, "");
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		auth_reply_read(401, span_of(refused[i]), span_of(""), &v);
		ck_assert_str_eq(v.www_authenticate, "");
	}
	auth_reply_read(200, span_of("Bearer"), span_of(""), &v);
	ck_assert_str_eq(v.www_authenticate, "");
}
END_TEST

/* The contract's two sentences, word by word. */
static enum auth_outcome oracle(const enum auth_outcome *o, size_t n, size_t *deciding)
{
	size_t busy = n;

	for (size_t i = 0; i < n; i++) {
		bool all_before = true;
		for (size_t j = 0; j < i; j++)
			all_before = all_before && (o[j] == AUTH_ALLOW || o[j] == AUTH_BUSY);
		if (o[i] == AUTH_DENY && all_before) {
			*deciding = i;
			return AUTH_DENY;
		}
	}
	for (size_t i = n; i-- > 0;) {
		if (o[i] == AUTH_PENDING)
			return AUTH_PENDING;
		if (o[i] == AUTH_BUSY)
			busy = i;
	}
	*deciding = busy < n ? busy : 0;
	return busy < n ? AUTH_BUSY : AUTH_ALLOW;
}

START_TEST(every_combination_of_verdicts_is_decided_as_the_contract_says)
{
	for (size_t n = 1; n <= 5; n++)
		for (unsigned code = 0; code < 1u << (2 * n); code++) {
			struct auth_verdict verdicts[5];
			const struct auth_verdict *views[5];
			enum auth_outcome outcomes[5];
			size_t got = 99, expected = 99;

			for (size_t i = 0; i < n; i++) {
				outcomes[i] = (enum auth_outcome)(code >> (2 * i) & 3);
				verdicts[i].outcome = outcomes[i];
				views[i] = outcomes[i] == AUTH_PENDING ? NULL : &verdicts[i];
			}
			enum auth_outcome outcome = auth_reply_decide(views, n, &got);
			ASSERT_QUIETLY(outcome == oracle(outcomes, n, &expected));
			ASSERT_QUIETLY(outcome == AUTH_PENDING || got == expected);
		}
}
END_TEST

START_TEST(once_decided_later_answers_change_nothing)
{
	for (unsigned code = 0; code < 64; code++) {
		struct auth_verdict verdicts[3];
		const struct auth_verdict *views[3] = {NULL, NULL, NULL};
		enum auth_outcome first = AUTH_PENDING;
		size_t at = 0, now;

		for (size_t i = 0; i < 3; i++) {
			verdicts[i].outcome = (enum auth_outcome)(code >> (2 * i) & 3);
			if (verdicts[i].outcome == AUTH_PENDING)
				verdicts[i].outcome = AUTH_ALLOW;
		}
		for (size_t i = 0; i < 3; i++) {
			views[i] = &verdicts[i];
			enum auth_outcome outcome = auth_reply_decide(views, 3, &now);
			if (first == AUTH_PENDING) {
				first = outcome;
				at = now;
			}
			ASSERT_QUIETLY(outcome == first && now == at);
		}
		ASSERT_QUIETLY(first != AUTH_PENDING);
	}
}
END_TEST

START_TEST(the_topic_stands_encoded_where_the_setting_wants_it)
{
	static const struct {
		const char *setting, *topic, *socket, *url;
	} cases[] = {
		{"http://h/a", "x", NULL, "http://h/a?topic=x"},
		{"http://h/a?b=c", "x", NULL, "http://h/a?b=c&topic=x"},
		{"https://h:8/{topic}", "x", NULL, "https://h:8/x"},
		{"http://h/{topic}/b?t={topic}", "x", NULL, "http://h/x/b?t=x"},
		{"http://h/a?t={topic}&z", "a/b:c@d+e=f~g", NULL,
		 "http://h/a?t=a%2Fb%3Ac%40d%2Be%3Df~g&z"},
		{"http://h/a", "a/../../b", NULL, "http://h/a?topic=a%2F..%2F..%2Fb"},
		{"http://h/a", "x&topic=y#z?%", NULL, "http://h/a?topic=x%26topic%3Dy%23z%3F%25"},
		{"http://h/{topic}", "{topic}", NULL, "http://h/%7Btopic%7D"},
		{"unix:/run/a.sock:/auth", "x", "/run/a.sock", "http://localhost/auth?topic=x"},
		{"unix:/run/a.sock:/{topic}", "x/y", "/run/a.sock", "http://localhost/x%2Fy"},
		{"unix:/run/a.sock", "x", "/run/a.sock", "http://localhost/?topic=x"},
		{"unix:/run/a.sock:/auth?c", NULL, "/run/a.sock", "http://localhost/auth?c"},
		{"http://h/a?b=c", NULL, NULL, "http://h/a?b=c"},
		{"unix:/run/a:b.sock:/auth?c", "x", "/run/a:b.sock",
		 "http://localhost/auth?c&topic=x"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct auth_url u;
		struct buf b;

		buf_init(&b, 4096);
		ck_assert_int_eq(auth_url_init(&u, cases[i].setting), 0);
		ck_assert_int_eq(auth_url_for(&u, span_of(cases[i].topic), &b), 0);
		ck_assert_str_eq(b.data, cases[i].url);
		ck_assert_uint_eq(b.len, strlen(cases[i].url) + 1);
		ck_assert((u.socket == NULL) == (cases[i].socket == NULL));
		if (u.socket)
			ck_assert_str_eq(u.socket, cases[i].socket);
		buf_done(&b);
		auth_url_done(&u);
		auth_url_done(&u);
	}
}
END_TEST

START_TEST(a_url_that_does_not_fit_is_said_to_be_too_long)
{
	struct auth_url u;

	ck_assert_int_eq(auth_url_init(&u, "http://h/a?t={topic}&u"), 0);
	for (size_t max = 0; max < sizeof("http://h/a?t=xyz&u"); max++) {
		struct buf b;
		buf_init(&b, max);
		ASSERT_QUIETLY(auth_url_for(&u, span_of("xyz"), &b) != 0);
		buf_done(&b);
	}
	auth_url_done(&u);
}
END_TEST

START_TEST(whose_it_is_and_for_how_long_is_read_strictly_or_nobody_is_let_in)
{
	char too_long[CONTROL_USER_BYTES + 2];
	memset(too_long, 'u', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	const struct {
		const char *user, *expires;
		bool good;
		const char *name;
		double until;
	} cases[] = {
		{NULL, NULL, true, "", 0},
		{"42", NULL, true, "42", 0},
		{"", "60", true, "", 160},
		{"n\xc3\xb6", "1", true, "n\xc3\xb6", 101},
		{"42", "0", true, "42", 101},
		{too_long + 1, NULL, true, too_long + 1, 0},
		{too_long, NULL, false, "", 0},
		{"\xff", NULL, false, "", 0},
		{"a\tb", NULL, false, "", 0},
		{"\x7f", NULL, false, "", 0},
		{"42", "", false, "", 0},
		{"42", "1.5", false, "", 0},
		{"42", "-1", false, "", 0},
		{"42", "60, 60", false, "", 0},
		{"42", "1000000000", true, "42", 1000000100.},
		{"42", "1000000001", false, "", 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct auth_verdict v = read_reply(200, "");
		bool good = auth_reply_grant(span_of(cases[i].user), span_of(cases[i].expires), 100,
					     &v);
		ck_assert(good == cases[i].good);
		ck_assert_int_eq(v.outcome, good ? AUTH_ALLOW : AUTH_BUSY);
		if (good) {
			ck_assert_str_eq(v.user, cases[i].name);
			ck_assert(v.until == cases[i].until);
		}
	}
}
END_TEST

START_TEST(a_denial_may_say_whose_it_is_and_stays_one_whatever_it_says)
{
	struct auth_verdict v = read_reply(403, "");

	ck_assert(auth_reply_grant(span_of("42"), span_of("soon"), 100, &v));
	ck_assert_int_eq(v.outcome, AUTH_DENY);
	ck_assert_str_eq(v.user, "42");
	v = read_reply(403, "");
	ck_assert(auth_reply_grant(span_of("\xff"), span_of("60"), 100, &v));
	ck_assert_int_eq(v.outcome, AUTH_DENY);
	ck_assert_str_eq(v.user, "");
}
END_TEST

RUN_TESTS("auth_reply", whose_it_is_and_for_how_long_is_read_strictly_or_nobody_is_let_in,
	  a_denial_may_say_whose_it_is_and_stays_one_whatever_it_says,
	  only_2xx_allows_and_only_401_and_403_deny,
	  a_detail_is_passed_on_when_it_is_clean_text_of_a_json_object,
	  a_long_detail_is_cut_between_characters,
	  a_challenge_is_passed_on_whole_and_printable_or_not_at_all,
	  every_combination_of_verdicts_is_decided_as_the_contract_says,
	  once_decided_later_answers_change_nothing,
	  the_topic_stands_encoded_where_the_setting_wants_it,
	  a_url_that_does_not_fit_is_said_to_be_too_long)
