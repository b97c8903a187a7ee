/* test_handle_control: who may control which listeners, and what is answered. */
#include <stdio.h>

#include "publisher/handle.h"
#include "tests/unit/publish_case.h"
#include "tests/unit/run.h"

#define DISCONNECT "{\"disconnect\":{\"user\":\"42\"}}"

static void begin(struct publish_case *c, enum handle_auth auth, const char *authorization)
{
	case_begin(c, auth);
	case_give(c, "PATH_INFO", "/control");
	if (authorization)
		case_give(c, "HTTP_AUTHORIZATION", authorization);
}

START_TEST(a_message_goes_to_the_log_and_who_heard_it_is_answered)
{
	static const struct {
		const char *type, *body, *message;
	} cases[] = {
		{JSON, DISCONNECT, DISCONNECT},
		{JSON, "{\"recheck\":{\"all\":true}}", "{\"recheck\":{\"all\":true}}"},
		{JSON "; charset=utf-8", "{\"revoke\":{\"seconds\":0,\"topic\":\"a*\"}}",
		 "{\"revoke\":{\"topic\":\"a*\",\"seconds\":0}}"},
		{FORM, "disconnect[user]=42", DISCONNECT},
		{FORM "; charset=iso-8859-1", "disconnect[user]=%FC",
		 "{\"disconnect\":{\"user\":\"\xc3\xbc\"}}"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct publish_case c;

		begin(&c, HANDLE_AUTH_TOKEN, "Bearer bossy");
		ck_assert_msg(case_post(&c, cases[i].type, cases[i].body) == 200, "%s",
			      c.server.answer.data);
		ck_assert(case_says(&c, "\r\n\r\n{\"heard_by\":3}"));
		ck_assert_str_eq(c.memory.messages, cases[i].message);
		ck_assert_uint_eq(c.memory.controls, 1);
		ck_assert_uint_eq(c.memory.appends, 0);
		case_end(&c);
	}
}
END_TEST

START_TEST(it_is_asked_for_by_the_end_of_the_address)
{
	static const struct {
		const char *script_name, *path_info;
		bool control;
	} cases[] = {
		{"/publish", "/control", true},   {"/publish/control", NULL, true},
		{"/publish/control", "", true},   {"/publish", "/x/control", true},
		{"/control", "/publish", false},  {"/publish", "/controls", false},
		{"/publish", "/xcontrol", false}, {"/publish", "control", false},
		{"/publish", "", false},          {NULL, NULL, false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct publish_case c;

		case_begin(&c, HANDLE_AUTH_TOKEN);
		case_give(&c, "SCRIPT_NAME", cases[i].script_name);
		case_give(&c, "PATH_INFO", cases[i].path_info);
		case_give(&c, "HTTP_AUTHORIZATION", "Bearer bossy");
		ck_assert_uint_eq(case_post(&c, JSON, DISCONNECT), cases[i].control ? 200 : 422);
		ck_assert_uint_eq(c.memory.controls, cases[i].control);
		case_end(&c);
	}
}
END_TEST

START_TEST(only_a_token_with_the_right_may_and_the_answer_names_the_cure)
{
	static const struct {
		enum handle_auth auth;
		const char *authorization;
		unsigned status;
		const char *says;
	} cases[] = {
		{HANDLE_AUTH_TOKEN, "Bearer bossy", 200, "heard_by"},
		{HANDLE_AUTH_TOKEN, "Bearer secret", 403,
		 "token shop has no right to control (write +control behind it in "
		 "publish_tokens_file)"},
		{HANDLE_AUTH_TOKEN, "Bearer limited", 403, "token cron has no right to control"},
		{HANDLE_AUTH_TOKEN, "Bearer wrong", 401, "not known"},
		{HANDLE_AUTH_TOKEN, "Basic bossy", 401, "Bearer TOKEN"},
		{HANDLE_AUTH_TOKEN, NULL, 401, "CGIPassAuth On"},
		{HANDLE_AUTH_NONE, "Bearer bossy", 403, "control needs publish_auth = token"},
		{HANDLE_AUTH_REMOTE_USER, NULL, 403, "control needs publish_auth = token"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct publish_case c;

		begin(&c, cases[i].auth, cases[i].authorization);
		case_give(&c, "REMOTE_USER", "ann");
		ck_assert_uint_eq(case_post(&c, JSON, DISCONNECT), cases[i].status);
		ck_assert_msg(case_says(&c, cases[i].says), "%s", c.server.answer.data);
		ck_assert_uint_eq(c.memory.controls, cases[i].status == 200);
		case_end(&c);
	}
}
END_TEST

START_TEST(a_token_for_some_topics_controls_listeners_of_these_alone)
{
	static const struct {
		const char *selector, *says; /* NULL: it may */
	} cases[] = {
		{"\"topic\":\"a\"", NULL},
		{"\"topic\":\"b:*\"", NULL},
		{"\"topic\":\"b:1\"", NULL},
		{"\"topic\":\"b:1*\",\"user\":\"42\"", NULL},
		{"\"topic\":\"a*\"", "token ward may not control topic a*"},
		{"\"topic\":\"b*\"", "token ward may not control topic b*"},
		{"\"topic\":\"*\"", "token ward may not control topic *"},
		{"\"topic\":\"c\",\"user\":\"42\"", "token ward may not control topic c"},
		{"\"user\":\"42\"", "token ward is not good for all topics"},
		{"\"all\":true", "token ward is not good for all topics"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char body[128];
		struct publish_case c;

		begin(&c, HANDLE_AUTH_TOKEN, "Bearer warden");
		snprintf(body, sizeof(body), "{\"recheck\":{%s}}", cases[i].selector);
		ck_assert_uint_eq(case_post(&c, JSON, body), cases[i].says ? 403 : 200);
		ck_assert_msg(!cases[i].says || case_says(&c, cases[i].says), "%s",
			      c.server.answer.data);
		ck_assert_uint_eq(c.memory.controls, !cases[i].says);
		case_end(&c);
	}
}
END_TEST

START_TEST(a_token_with_the_right_still_publishes)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_TOKEN);
	case_give(&c, "HTTP_AUTHORIZATION", "Bearer warden");
	ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"b:1\"}"), 200);
	ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"c\"}"), 403);
	ck_assert_uint_eq(c.memory.appends, 1);
	case_end(&c);
}
END_TEST

START_TEST(what_became_of_it_is_said_and_that_it_can_be_sent_again)
{
	static const struct {
		enum publish_log_outcome outcome;
		const char *says;
	} cases[] = {
		{PUBLISH_LOG_REFUSED, "not sent: Redis is on holiday"},
		{PUBLISH_LOG_UNKNOWN, "whether it was sent is not known: send it again"},
		{PUBLISH_LOG_PARTLY, "it may be partly in force"},
		{PUBLISH_LOG_UNSAFE, "in force, and not safe yet: Redis is on holiday"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct publish_case c;

		begin(&c, HANDLE_AUTH_TOKEN, "Bearer bossy");
		c.memory.outcome = cases[i].outcome;
		ck_assert_uint_eq(case_post(&c, JSON, DISCONNECT), 503);
		ck_assert_msg(case_says(&c, cases[i].says), "%s", c.server.answer.data);
		ck_assert(case_says(&c, "\r\nRetry-After: 1\r\n"));
		case_end(&c);
	}
}
END_TEST

START_TEST(other_methods_are_answered_as_where_events_go)
{
	struct publish_case c;

	begin(&c, HANDLE_AUTH_TOKEN, NULL);
	case_give(&c, "REQUEST_METHOD", "GET");
	ck_assert_uint_eq(case_serve(&c), 405);
	ck_assert(case_says(&c, "\r\nAllow: POST\r\n"));
	case_give(&c, "REQUEST_METHOD", "OPTIONS");
	ck_assert_uint_eq(case_serve(&c), 204);
	ck_assert(case_says(&c, "\r\nAllow: POST, OPTIONS\r\n"));
	case_end(&c);
}
END_TEST

RUN_TESTS("handle_control", a_message_goes_to_the_log_and_who_heard_it_is_answered,
	  it_is_asked_for_by_the_end_of_the_address,
	  only_a_token_with_the_right_may_and_the_answer_names_the_cure,
	  a_token_for_some_topics_controls_listeners_of_these_alone,
	  a_token_with_the_right_still_publishes,
	  what_became_of_it_is_said_and_that_it_can_be_sent_again,
	  other_methods_are_answered_as_where_events_go)
