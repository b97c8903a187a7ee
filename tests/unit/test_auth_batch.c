/* test_auth_batch: one question about many topics, and what its answers mean. */
#include "streamer/auth_batch.h"

#include <string.h>

#include "common/buf.h"
#include "streamer/auth_reply.h"
#include "tests/unit/run.h"

static const struct span topics[] = {{"x", 1}, {"a", 1}, {"b/c", 3}, {"d", 1}};
static const uint16_t which[] = {1, 2, 3};
static const struct auth_batch question = {topics, which, COUNT_OF(which)};

START_TEST(the_question_names_what_is_asked_in_order)
{
	struct buf b;

	buf_init(&b, 100);
	ck_assert_int_eq(auth_batch_format(&question, &b), 0);
	ck_assert_str_eq(b.data, "{\"topics\":[\"a\",\"b/c\",\"d\"]}");
	buf_done(&b);
	for (size_t max = 0; max < strlen("{\"topics\":[\"a\",\"b/c\",\"d\"]}"); max++) {
		buf_init(&b, max);
		ASSERT_QUIETLY(auth_batch_format(&question, &b) != 0);
		buf_done(&b);
	}
}
END_TEST

/* a: allowed, d: denied, b: busy, for each topic; "" when it is no answer. */
static const char *read_answer(struct span body, char *out)
{
	uint8_t outcomes[COUNT_OF(which)];
	bool good;

	memset(outcomes, AUTH_ALLOW, sizeof(outcomes));
	good = auth_batch_read(&question, body, outcomes);
	for (size_t i = 0; i < COUNT_OF(which); i++)
		out[i] = outcomes[i] == AUTH_ALLOW  ? 'a'
			 : outcomes[i] == AUTH_DENY ? 'd'
			 : outcomes[i] == AUTH_BUSY ? 'b'
						    : '?';
	out[COUNT_OF(which)] = '\0';
	if (!good && strcmp(out, "bbb") != 0)
		ck_abort_msg("a wrong answer decided: %s", out);
	return good ? out : "";
}

START_TEST(a_topic_is_allowed_when_it_is_said_to_be_and_nothing_else_is_said)
{
	static const struct {
		const char *body, *meaning;
	} cases[] = {
		{"{\"allow\":[\"a\",\"b/c\",\"d\"],\"deny\":[]}", "aaa"},
		{"{\"deny\":[\"b/c\"],\"allow\":[\"a\",\"d\"]}", "ada"},
		{"{\"allow\":[\"a\",\"b\\/c\",\"\\u0064\"]}", "aaa"},
		{"{\"\\u0061llow\":[\"a\"]}", "abb"},
		{"{\"allow\":[\"d\"]}", "bba"},
		{"{\"deny\":[\"a\"]}", "dbb"},
		{"{\"allow\":[\"a\"],\"deny\":[\"a\"]}", "dbb"},
		{"{\"deny\":[\"a\"],\"allow\":[\"a\"]}", "dbb"},
		{"{\"allow\":[\"a\",\"a\"]}", "abb"},
		{" { \"allow\" : [ \"a\" ] , \"more\" : [[{}]] } ", "abb"},
		{"{\"allow\":[\"x\",\"A\",\"\",\"a \",\"a\\u0000\",\"b\"]}", "bbb"},
		{"{\"allow\":[],\"deny\":[]}", "bbb"},
		{"{}", ""},
		{"{\"Allow\":[\"a\"]}", ""},
		{"{\"allow\":[\"a\"],\"allow\":[\"d\"]}", ""},
		{"{\"deny\":[],\"allow\":[\"a\"],\"deny\":[]}", ""},
		{"{\"allow\":\"a\"}", ""},
		{"{\"allow\":{\"a\":true}}", ""},
		{"{\"allow\":null,\"deny\":[]}", ""},
		{"{\"allow\":true}", ""},
		{"{\"allow\":[\"a\",1]}", ""},
		{"{\"allow\":[[\"a\"]]}", ""},
		{"{\"allow\":[\"a\"],\"deny\":null}", ""},
		{"[\"a\"]", ""},
		{"\"allow\"", ""},
		{"true", ""},
		{"", ""},
		{"{\"allow\":[\"a\"]} x", ""},
		{"{\"allow\":[\"a\",]}", ""},
		{"{'allow':['a']}", ""},
		{"{\"allow\":[\"a\",\"\xff\"]}", ""},
		{"<html></html>", ""},
	};
	char got[COUNT_OF(which) + 1];

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_str_eq(read_answer(span_of(cases[i].body), got), cases[i].meaning);
}
END_TEST

START_TEST(no_beginning_of_an_answer_admits_anybody)
{
	static const char body[] = "{\"allow\":[\"a\",\"b/c\",\"d\"],\"deny\":[]}";
	char got[COUNT_OF(which) + 1];

	for (size_t len = 0; len < sizeof(body) - 1; len++) {
		char *exact = malloc(len + 1);
		ck_assert_ptr_nonnull(exact);
		memcpy(exact, body, len);
		ck_assert_str_eq(read_answer((struct span){exact, len}, got), "");
		free(exact);
	}
}
END_TEST

START_TEST(names_longer_than_any_topic_are_passed_over)
{
	char body[4096] = "{\"allow\":[\"", got[COUNT_OF(which) + 1];
	size_t len = strlen(body);

	memset(body + len, 'a', 2000);
	strcpy(body + len + 2000, "\",\"a\"]}");
	ck_assert_str_eq(read_answer(span_of(body), got), "abb");
}
END_TEST

RUN_TESTS("auth_batch", the_question_names_what_is_asked_in_order,
	  a_topic_is_allowed_when_it_is_said_to_be_and_nothing_else_is_said,
	  no_beginning_of_an_answer_admits_anybody, names_longer_than_any_topic_are_passed_over)
