/* test_jsonspan: what RFC 8259 allows and nothing else, and where the trouble is. */
#include "common/jsonspan.h"

#include "tests/unit/run.h"

/* The check on a copy that ends where the text ends, so that sanitizers and valgrind see a step
 * behind it. */
static enum jsonspan_status check(const char *text, size_t len, unsigned max_depth, size_t *at)
{
	char *copy = malloc(len ? len : 1);
	enum jsonspan_status status;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	status = jsonspan_check(copy, len, max_depth, at);
	free(copy);
	return status;
}

START_TEST(what_the_rfc_allows_is_accepted)
{
	static const char *const good[] = {
		"{}",
		"[]",
		"null",
		"true",
		"false",
		"\"\"",
		"0",
		"-0",
		"1",
		"-1",
		"10",
		"1.0",
		"0.0",
		"-0.0",
		"1e5",
		"1E5",
		"1e+5",
		"1e-5",
		"1e05",
		"0e0",
		"1.5e300",
		"1e999",
		"123456789012345678901234567890",
		"-0.000000000000000000000000001",
		" 1",
		"1 ",
		"\t\n\r 1 \r\n\t",
		"[ ]",
		"{ }",
		"[1,2]",
		"[ 1 , 2 ]",
		"[[],{}]",
		"{\"a\":1}",
		"{ \"a\" : 1 , \"b\" : [ ] }",
		"{\"\":0}",
		"{\"a\":1,\"a\":2}",
		"[null,true,false]",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\\u0000\"",
		"\"\\u00e9\\u00E9\"",
		"\"\\uD83D\\uDE00\"",
		"\"\\ud83d\\ude00\"",
		"\"\\uffff\"",
		"\"\x7f\"",
		"\"\xc3\xa9\"",
		"\"\xe2\x80\xa8\"",
		"\"\xf0\x9f\x98\x80\"",
		"\"\xef\xbb\xbf\"",
		"\"\xf4\x8f\xbf\xbf\"",
		"\"'\"",
		"\"//\"",
		"\"[{\"",
		"[\"]\"]",
		"{\"}\":\"{\"}",
	};

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		size_t at = 4711;

		ck_assert_msg(check(good[i], strlen(good[i]), 4, &at) == JSONSPAN_OK, "%s",
			      good[i]);
		ck_assert_uint_eq(at, 4711);
	}
}
END_TEST

struct refusal {
	const char *text;
	enum jsonspan_status status;
	size_t at;
};

static void assert_refused(const struct refusal *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = 4711, len = strlen(cases[i].text);
		enum jsonspan_status status = check(cases[i].text, len, 4, &at);

		ck_assert_msg(status == cases[i].status, "%s gave %d", cases[i].text, (int)status);
		ck_assert_msg(at == cases[i].at, "%s: trouble at %zu", cases[i].text, at);
		ck_assert(check(cases[i].text, len, 4, NULL) == cases[i].status);
	}
}

START_TEST(text_that_is_not_json_is_refused_where_it_stops_being_it)
{
	static const struct refusal cases[] = {
		{"", JSONSPAN_SYNTAX, 0},
		{"  ", JSONSPAN_SYNTAX, 2},
		{"x", JSONSPAN_SYNTAX, 0},
		{"nul", JSONSPAN_SYNTAX, 0},
		{"nulL", JSONSPAN_SYNTAX, 0},
		{"True", JSONSPAN_SYNTAX, 0},
		{"truefalse", JSONSPAN_SYNTAX, 4},
		{"nullx", JSONSPAN_SYNTAX, 4},
		{"NaN", JSONSPAN_SYNTAX, 0},
		{"Infinity", JSONSPAN_SYNTAX, 0},
		{"-Infinity", JSONSPAN_SYNTAX, 1},
		{"undefined", JSONSPAN_SYNTAX, 0},
		{"-", JSONSPAN_SYNTAX, 1},
		{"--1", JSONSPAN_SYNTAX, 1},
		{"+1", JSONSPAN_SYNTAX, 0},
		{".5", JSONSPAN_SYNTAX, 0},
		{"01", JSONSPAN_SYNTAX, 1},
		{"-01", JSONSPAN_SYNTAX, 2},
		{"1.", JSONSPAN_SYNTAX, 2},
		{"1.e5", JSONSPAN_SYNTAX, 2},
		{"1e", JSONSPAN_SYNTAX, 2},
		{"1e+", JSONSPAN_SYNTAX, 3},
		{"1e5.5", JSONSPAN_SYNTAX, 3},
		{"0x10", JSONSPAN_SYNTAX, 1},
		{"1_000", JSONSPAN_SYNTAX, 1},
		{"1 2", JSONSPAN_SYNTAX, 2},
		{"{}{}", JSONSPAN_SYNTAX, 2},
		{"{},", JSONSPAN_SYNTAX, 2},
		{"{}]", JSONSPAN_SYNTAX, 2},
		{"[", JSONSPAN_SYNTAX, 1},
		{"{", JSONSPAN_SYNTAX, 1},
		{"]", JSONSPAN_SYNTAX, 0},
		{"}", JSONSPAN_SYNTAX, 0},
		{",", JSONSPAN_SYNTAX, 0},
		{":", JSONSPAN_SYNTAX, 0},
		{"[}", JSONSPAN_SYNTAX, 1},
		{"{]", JSONSPAN_SYNTAX, 1},
		{"[1}", JSONSPAN_SYNTAX, 2},
		{"{\"a\":1]", JSONSPAN_SYNTAX, 6},
		{"[[1}]", JSONSPAN_SYNTAX, 3},
		{"[,]", JSONSPAN_SYNTAX, 1},
		{"[1,]", JSONSPAN_SYNTAX, 3},
		{"[,1]", JSONSPAN_SYNTAX, 1},
		{"[1,,2]", JSONSPAN_SYNTAX, 3},
		{"[1 2]", JSONSPAN_SYNTAX, 3},
		{"[1:2]", JSONSPAN_SYNTAX, 2},
		{"{,}", JSONSPAN_SYNTAX, 1},
		{"{\"a\"}", JSONSPAN_SYNTAX, 4},
		{"{\"a\":}", JSONSPAN_SYNTAX, 5},
		{"{\"a\",1}", JSONSPAN_SYNTAX, 4},
		{"{\"a\" 1}", JSONSPAN_SYNTAX, 5},
		{"{\"a\":1,}", JSONSPAN_SYNTAX, 7},
		{"{\"a\":1 \"b\":2}", JSONSPAN_SYNTAX, 7},
		{"{a:1}", JSONSPAN_SYNTAX, 1},
		{"{'a':1}", JSONSPAN_SYNTAX, 1},
		{"{1:1}", JSONSPAN_SYNTAX, 1},
		{"{null:1}", JSONSPAN_SYNTAX, 1},
		{"'a'", JSONSPAN_SYNTAX, 0},
		{"\"", JSONSPAN_SYNTAX, 1},
		{"\"abc", JSONSPAN_SYNTAX, 4},
		{"\"\\", JSONSPAN_SYNTAX, 1},
		{"\"\\\"", JSONSPAN_SYNTAX, 3},
		{"\"\\x\"", JSONSPAN_SYNTAX, 1},
		{"\"\\'\"", JSONSPAN_SYNTAX, 1},
		{"\"\\U0041\"", JSONSPAN_SYNTAX, 1},
		{"\"\\u\"", JSONSPAN_SYNTAX, 1},
		{"\"\\u004\"", JSONSPAN_SYNTAX, 1},
		{"\"\\u00g0\"", JSONSPAN_SYNTAX, 1},
		{"\"\\u 041\"", JSONSPAN_SYNTAX, 1},
		{"\"\\u+041\"", JSONSPAN_SYNTAX, 1},
		{"\"a\tb\"", JSONSPAN_SYNTAX, 2},
		{"\"a\nb\"", JSONSPAN_SYNTAX, 2},
		{"\"a\x1f\"", JSONSPAN_SYNTAX, 2},
		{"// c\n1", JSONSPAN_SYNTAX, 0},
		{"/* c */1", JSONSPAN_SYNTAX, 0},
		{"1#", JSONSPAN_SYNTAX, 1},
		{"\v1", JSONSPAN_SYNTAX, 0},
		{"\f1", JSONSPAN_SYNTAX, 0},
		{"\xc2\xa0"
		 "1",
		 JSONSPAN_SYNTAX, 0}, /* NO-BREAK SPACE */
		{"\xef\xbb\xbf{}", JSONSPAN_SYNTAX, 0},
	};

	assert_refused(cases, COUNT_OF(cases));
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_refused_where_they_stand)
{
	static const struct refusal cases[] = {
		{"\"\xff\"", JSONSPAN_UTF8, 1},         {"\"ab\xc3\"", JSONSPAN_UTF8, 3},
		{"\"ab\xc3", JSONSPAN_UTF8, 3},         {"\"\xc3\xa9\xa9\"", JSONSPAN_UTF8, 3},
		{"\"\xc0\x80\"", JSONSPAN_UTF8, 1},     {"\"\xe0\x80\x80\"", JSONSPAN_UTF8, 1},
		{"\"\xed\xa0\x80\"", JSONSPAN_UTF8, 1}, {"\"\xe2\x80\"", JSONSPAN_UTF8, 1},
		{"\"\xf0\x9f\x98\"", JSONSPAN_UTF8, 1}, {"\"\xf4\x90\x80\x80\"", JSONSPAN_UTF8, 1},
		{"\"\xe9\"", JSONSPAN_UTF8, 1}, /* Latin-1 */
		{"{\"\xff\":1}", JSONSPAN_UTF8, 2},
	};

	assert_refused(cases, COUNT_OF(cases));
}
END_TEST

START_TEST(surrogates_without_partner_are_named_where_they_stand)
{
	static const struct refusal cases[] = {
		{"\"\\ud800\"", JSONSPAN_SURROGATE, 1},
		{"\"\\uDBFF\"", JSONSPAN_SURROGATE, 1},
		{"\"\\udc00\"", JSONSPAN_SURROGATE, 1},
		{"\"\\uDFFF\"", JSONSPAN_SURROGATE, 1},
		{"\"a\\ud83dx\"", JSONSPAN_SURROGATE, 2},
		{"\"\\ud83d\\n\"", JSONSPAN_SURROGATE, 1},
		{"\"\\ud83d\\u0041\"", JSONSPAN_SURROGATE, 1},
		{"\"\\ud83d\\ud83d\\ude00\"", JSONSPAN_SURROGATE, 1},
		{"\"\\ude00\\ud83d\"", JSONSPAN_SURROGATE, 1},
		{"{\"\\ud800\":1}", JSONSPAN_SURROGATE, 2},
		{"[\"\\ud800\",\"\\udc00\"]", JSONSPAN_SURROGATE, 2},
	};

	assert_refused(cases, COUNT_OF(cases));
}
END_TEST

START_TEST(unreadable_text_is_told_before_a_broken_rule)
{
	static const struct refusal cases[] = {
		{"[\"\\ud800\",]", JSONSPAN_SYNTAX, 10},
		{"[\"\\ud800\",\"\xff\"]", JSONSPAN_UTF8, 11},
		{"[\"\\ud800\\u12\"]", JSONSPAN_SYNTAX, 8},
		{"[[[[[ ]]]]", JSONSPAN_SYNTAX, 10},
		{"[[[[[ }]]]]", JSONSPAN_SYNTAX, 6},
		{"[[[[[\"\xff\"]]]]]", JSONSPAN_UTF8, 6},
		{"[[[[[\"\\ud800\"]]]]]", JSONSPAN_DEPTH, 4},
		{"[\"\\ud800\",[[[[]]]]]", JSONSPAN_SURROGATE, 2},
	};

	assert_refused(cases, COUNT_OF(cases));
}
END_TEST

/* depth times open, then depth times close, with an object at every third level. */
static size_t nested(char *out, size_t depth)
{
	size_t len = 0;

	for (size_t i = 0; i < depth; i++) {
		if (i % 3 == 2) {
			memcpy(out + len, "{\"k\":", 5);
			len += 5;
		} else {
			out[len++] = '[';
		}
	}
	if (depth > 0 && (depth - 1) % 3 == 2)
		out[len++] = '0';
	for (size_t i = depth; i > 0; i--)
		out[len++] = (i - 1) % 3 == 2 ? '}' : ']';
	return len;
}

START_TEST(depth_is_counted_in_brackets)
{
	static char text[3 * JSONSPAN_DEPTH_LIMIT * 2];

	for (unsigned depth = 1; depth <= JSONSPAN_DEPTH_LIMIT; depth++) {
		size_t len = nested(text, depth);

		ck_assert_int_eq(jsonspan_check(text, len, depth, NULL), JSONSPAN_OK);
		ck_assert_int_eq(jsonspan_check(text, len, depth - 1, NULL), JSONSPAN_DEPTH);
		ck_assert_int_eq(jsonspan_check(text, len - 1, depth, NULL), JSONSPAN_SYNTAX);
		ck_assert_int_eq(jsonspan_check(text, len - 1, depth - 1, NULL), JSONSPAN_SYNTAX);
	}
	ck_assert_int_eq(check("1", 1, 0, NULL), JSONSPAN_OK);
	ck_assert_int_eq(check("[[],[],[[]]]", 12, 3, NULL), JSONSPAN_OK);
}
END_TEST

START_TEST(past_the_depth_limit_the_check_ends)
{
	size_t n = 1000000, at = 0;
	char *text = malloc(n);

	ck_assert_ptr_nonnull(text);
	memset(text, '[', n);
	ck_assert_int_eq(jsonspan_check(text, n, 64, &at), JSONSPAN_DEPTH);
	ck_assert_uint_eq(at, JSONSPAN_DEPTH_LIMIT);
	ck_assert_int_eq(jsonspan_check(text, n, JSONSPAN_DEPTH_LIMIT, &at), JSONSPAN_DEPTH);
	ck_assert_uint_eq(at, JSONSPAN_DEPTH_LIMIT);
	ck_assert_int_eq(jsonspan_check(text, JSONSPAN_DEPTH_LIMIT, 64, &at), JSONSPAN_SYNTAX);
	free(text);
}
END_TEST

START_TEST(no_true_prefix_of_a_document_is_json)
{
	static const char text[] =
		"{\"a\\u00e9\\ud83d\\ude00\\n\xc3\xa9\":[1.5e+3,-0,{\"b\":null}],"
		"\"c\":{},\"d\":\"\xf0\x9f\x98\x80\",\"e\":[true,false]}";
	size_t len = strlen(text);

	ck_assert_int_eq(check(text, len, 4, NULL), JSONSPAN_OK);
	for (size_t cut = 0; cut < len; cut++) {
		enum jsonspan_status status = check(text, cut, 4, NULL);

		ck_assert(status == JSONSPAN_SYNTAX || status == JSONSPAN_UTF8);
	}
}
END_TEST

START_TEST(raw_control_bytes_never_stand_in_a_string)
{
	for (int c = 0; c < 256; c++) {
		char text[3] = {'"', (char)c, '"'};
		enum jsonspan_status expected = JSONSPAN_OK;

		if (c < 0x20 || c == '"' || c == '\\')
			expected = JSONSPAN_SYNTAX;
		else if (c >= 0x80)
			expected = JSONSPAN_UTF8;
		ck_assert_int_eq(check(text, sizeof(text), 0, NULL), expected);
	}
}
END_TEST

START_TEST(nul_is_a_byte_like_others)
{
	ck_assert_int_eq(check("1\0", 2, 0, NULL), JSONSPAN_SYNTAX);
	ck_assert_int_eq(check("\0", 1, 0, NULL), JSONSPAN_SYNTAX);
	ck_assert_int_eq(check("[1,\0 2]", 7, 1, NULL), JSONSPAN_SYNTAX);
	ck_assert_int_eq(jsonspan_check(NULL, 0, 0, NULL), JSONSPAN_SYNTAX);
}
END_TEST

RUN_TESTS("jsonspan", what_the_rfc_allows_is_accepted,
	  text_that_is_not_json_is_refused_where_it_stops_being_it,
	  bytes_that_are_not_utf8_are_refused_where_they_stand,
	  surrogates_without_partner_are_named_where_they_stand,
	  unreadable_text_is_told_before_a_broken_rule, depth_is_counted_in_brackets,
	  past_the_depth_limit_the_check_ends, no_true_prefix_of_a_document_is_json,
	  raw_control_bytes_never_stand_in_a_string, nul_is_a_byte_like_others)
