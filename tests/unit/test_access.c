/* test_access: which tokens are known, and what they may publish to. */
#include "publisher/access.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/run.h"

#define SHA256_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct access_tokens *parse(const char *text)
{
	struct access_error error;
	struct access_tokens *t = access_tokens_parse(text, strlen(text), &error);

	ck_assert_msg(t != NULL, "line %zu: %s", error.line, error.why);
	return t;
}

/* The name of the line with this token, NULL when there is none. */
static const char *who(const struct access_tokens *t, const char *token)
{
	const struct access_token *found = NULL;
	int rc = access_find(t, span_of(token), &found);

	ck_assert(rc == 0 || (rc == -ENOENT && !found));
	return rc == 0 ? access_name(found) : NULL;
}

static bool allows(const struct access_tokens *t, const char *token, const char *topic)
{
	const struct access_token *found;

	ck_assert_int_eq(access_find(t, span_of(token), &found), 0);
	return access_allows(found, span_of(topic));
}

START_TEST(tokens_are_known_whole_and_by_nothing_less)
{
	struct access_tokens *t = parse("# the shop\n"
					"\n"
					"shop secret-1\r\n"
					"  cron\tsecret-2 \t a b*\n"
					"hashed sha256:" SHA256_OF_ABC " *\n"
					"shop secret-3");

	ck_assert_str_eq(who(t, "secret-1"), "shop");
	ck_assert_str_eq(who(t, "secret-2"), "cron");
	ck_assert_str_eq(who(t, "abc"), "hashed");
	ck_assert_str_eq(who(t, "secret-3"), "shop");
	ck_assert_ptr_null(who(t, "secret-"));
	ck_assert_ptr_null(who(t, "secret-11"));
	ck_assert_ptr_null(who(t, "secret-1\r"));
	ck_assert_ptr_null(who(t, "SECRET-1"));
	ck_assert_ptr_null(who(t, ""));
	ck_assert_ptr_null(who(t, "shop"));
	ck_assert_ptr_null(who(t, "sha256:" SHA256_OF_ABC));
	ck_assert_ptr_null(who(t, SHA256_OF_ABC));
	ck_assert_ptr_null(who(t, "the"));
	access_tokens_free(t);
}
END_TEST

START_TEST(patterns_are_topics_or_their_beginnings)
{
	static const struct {
		const char *token, *topic;
		bool allowed;
	} cases[] = {
		{"all", "anything", true},   {"star", "anything", true},
		{"one", "comments", true},   {"one", "comment", false},
		{"one", "comments2", false}, {"one", "Comments", false},
		{"begin", "user:", true},    {"begin", "user:7", true},
		{"begin", "user", false},    {"begin", "xuser:7", false},
		{"two", "a", true},          {"two", "b/c/d", true},
		{"two", "b", false},
	};
	struct access_tokens *t =
		parse("n all\nn star *\nn one comments\nn begin user:*\nn two a b/*\n");

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_msg(allows(t, cases[i].token, cases[i].topic) == cases[i].allowed,
			      "%s %s", cases[i].token, cases[i].topic);
	access_tokens_free(t);
}
END_TEST

START_TEST(a_bad_file_names_its_line_and_no_token)
{
	static const struct {
		const char *text;
		size_t line;
	} cases[] = {
		{"", 0},
		{"# only comments\n\n", 0},
		{"shop\n", 1},
		{"a geheim\nshop\n", 2},
		{"a geheim\n\n# x\nb geheim x y\n", 4},
		{"a geheim t,u\n", 1},
		{"M\xfcller geheim\n", 1},
		{"a\x01 geheim\n", 1},
		{"a geheim *x\n", 1},
		{"a geheim x**\n", 1},
		{"a geheim :x\n", 1},
		{"a geheim {x}\n", 1},
		{"a sha256:geheim\n", 1},
		{"a sha256:\n", 1},
		{"a sha256:" SHA256_OF_ABC "0\n", 1},
		{"a abc\nb sha256:" SHA256_OF_ABC "\n", 2},
		{"a geheim +controls\n", 1},
		{"a geheim +\n", 1},
		{"a geheim x +Control\n", 1},
		{"a +control geheim\n", 1},
		{"a +control\n", 1},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct access_error error = {0};

		ck_assert_ptr_null(
			access_tokens_parse(cases[i].text, strlen(cases[i].text), &error));
		ck_assert_ptr_nonnull(error.why);
		ck_assert_ptr_null(strstr(error.why, "geheim"));
		ck_assert_msg(error.line == cases[i].line, "%s: line %zu", cases[i].text,
			      error.line);
	}
}
END_TEST

START_TEST(the_right_to_control_stands_anywhere_behind_the_token)
{
	static const struct {
		const char *token;
		bool control, allows_a, allows_b;
	} cases[] = {
		{"plain", false, true, true},  {"all", true, true, true},
		{"before", true, true, false}, {"behind", true, true, false},
		{"between", true, true, true}, {"twice", true, true, true},
		{"+name", true, true, true},
	};
	struct access_tokens *t = parse("n plain\nn all +control\nn before +control a\n"
					"n behind a +control\nn between a +control b\n"
					"n twice +control +control\n+control +name +control\n");

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct access_token *found;

		ck_assert_int_eq(access_find(t, span_of(cases[i].token), &found), 0);
		ck_assert_msg(access_controls(found) == cases[i].control, "%s", cases[i].token);
		ck_assert_msg(access_allows(found, span_of("a")) == cases[i].allows_a, "%s",
			      cases[i].token);
		ck_assert_msg(access_allows(found, span_of("b")) == cases[i].allows_b, "%s",
			      cases[i].token);
	}
	access_tokens_free(t);
}
END_TEST

START_TEST(a_word_that_begins_with_plus_and_is_no_right_names_the_cure)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"a geheim +publish\n", "write +control"},
		{"a +control geheim\n", "+control stands behind the token"},
		{"a\n", "name token [+control] [pattern ...]"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct access_error error;

		ck_assert_ptr_null(
			access_tokens_parse(cases[i].text, strlen(cases[i].text), &error));
		ck_assert_msg(strstr(error.why, cases[i].says) != NULL, "%s", error.why);
	}
}
END_TEST

START_TEST(a_pattern_is_allowed_when_it_lies_within_one_of_the_tokens)
{
	static const struct {
		const char *token, *pattern;
		bool allowed;
	} cases[] = {
		{"all", "*", true},     {"all", "a*", true},     {"star", "*", true},
		{"star", "a*", true},   {"one", "a", true},      {"one", "a*", false},
		{"one", "*", false},    {"begin", "*", false},   {"begin", "b*", false},
		{"begin", "b:*", true}, {"begin", "b:c*", true}, {"begin", "b:c", true},
		{"begin", "b", false},  {"begin", "c:*", false},
	};
	struct access_tokens *t = parse("n all\nn star *\nn one a\nn begin x b:*\n");

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_msg(allows(t, cases[i].token, cases[i].pattern) == cases[i].allowed,
			      "%s %s", cases[i].token, cases[i].pattern);
	access_tokens_free(t);
}
END_TEST

START_TEST(a_nul_is_refused_and_every_prefix_is_read_safely)
{
	static const char text[] = "shop secret-1 a b*\nhashed sha256:" SHA256_OF_ABC "\n";
	struct access_error error;

	ck_assert_ptr_null(access_tokens_parse("a b\0c", 5, &error));
	ck_assert_uint_eq(error.line, 1);
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len);
		struct access_tokens *t;

		memcpy(copy, text, len);
		t = access_tokens_parse(copy, len, &error);
		ck_assert_int_eq(t == NULL, error.why != NULL);
		access_tokens_free(t);
		free(copy);
	}
	access_tokens_free(NULL);
}
END_TEST

START_TEST(many_tokens_are_all_found)
{
	char *text = malloc(100000), token[32];
	size_t len = 0;

	for (int i = 0; i < 1000; i++)
		len += (size_t)snprintf(text + len, 100000 - len, "n%d token%d t%d\n", i, i, i);
	struct access_tokens *t = parse(text);
	for (int i = 0; i < 1000; i++) {
		char name[32];

		snprintf(token, sizeof(token), "token%d", i);
		snprintf(name, sizeof(name), "n%d", i);
		ck_assert_str_eq(who(t, token), name);
		snprintf(name, sizeof(name), "t%d", i);
		ck_assert(allows(t, token, name));
		ck_assert(!allows(t, token, "t1000"));
	}
	access_tokens_free(t);
	free(text);
}
END_TEST

START_TEST(only_bearer_brings_a_token)
{
	static const struct {
		const char *header, *token;
	} cases[] = {
		{"Bearer abc", "abc"},
		{"bearer abc", "abc"},
		{"BEARER   abc ", "abc"},
		{"Bearer a=b/c", "a=b/c"},
		{NULL, NULL},
		{"", NULL},
		{"Bearer", NULL},
		{"Bearer ", NULL},
		{"Bearerabc", NULL},
		{"Bearer a b", NULL},
		{"Basic YTpi", NULL},
		{"Bear", NULL},
		{"abc", NULL},
		{"Basic x, Bearer y", NULL},
		{" Bearer abc", NULL},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span token = access_bearer(cases[i].header);

		if (cases[i].token)
			ck_assert_msg(span_is(token, cases[i].token), "%s", cases[i].header);
		else
			ck_assert_ptr_null(token.at);
	}
}
END_TEST

RUN_TESTS("access", tokens_are_known_whole_and_by_nothing_less,
	  patterns_are_topics_or_their_beginnings,
	  the_right_to_control_stands_anywhere_behind_the_token,
	  a_word_that_begins_with_plus_and_is_no_right_names_the_cure,
	  a_pattern_is_allowed_when_it_lies_within_one_of_the_tokens,
	  a_bad_file_names_its_line_and_no_token, a_nul_is_refused_and_every_prefix_is_read_safely,
	  many_tokens_are_all_found, only_bearer_brings_a_token)
