/* test_exchange: parameters and bodies from web servers, well or ill mannered. */
#include "publisher/exchange.h"

#include <errno.h>

#include "tests/unit/publish_case.h"
#include "tests/unit/run.h"

START_TEST(a_header_that_mod_rewrite_renamed_is_found)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_TOKEN);
	case_give(&c, "REDIRECT_HTTP_AUTHORIZATION", "Bearer secret");
	ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}"), 200);
	case_give(&c, "HTTP_AUTHORIZATION", "Bearer wrong");
	ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}"), 401);
	case_end(&c);
}
END_TEST

START_TEST(a_body_is_read_to_its_length_or_its_end_in_any_pieces)
{
	static const char *const lengths[] = {NULL, "", "13", "0013"};
	static const char body[] = "{\"topic\":\"a\"}";

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		for (size_t piece = 1; piece <= sizeof(body); piece++) {
			struct publish_case c;

			case_begin(&c, HANDLE_AUTH_NONE);
			case_give(&c, "CONTENT_LENGTH", lengths[i]);
			c.server.piece = piece;
			ck_assert_uint_eq(case_post(&c, JSON, body), 200);
			case_end(&c);
		}
	}
}
END_TEST

START_TEST(what_stands_behind_the_length_is_not_read)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_NONE);
	case_give(&c, "CONTENT_LENGTH", "13");
	ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}and more"), 200);
	ck_assert_uint_eq(c.server.taken, 13);
	case_end(&c);
}
END_TEST

START_TEST(a_body_that_is_too_short_empty_or_broken_is_400)
{
	static const struct {
		const char *length, *body;
		size_t breaks_at;
		const char *says;
	} cases[] = {
		{"14", "{\"topic\":\"a\"}", 0, "after 13 of the 14 bytes"},
		{"1", "", 0, "after 0 of the 1 bytes"},
		{"0", "", 0, "mod_fcgid"},
		{NULL, "", 0, "mod_fcgid"},
		{"0", "{\"topic\":\"a\"}", 0, "mod_fcgid"},
		{"13", "{\"topic\":\"a\"}", 5, "broke off"},
		{"x", "{\"topic\":\"a\"}", 0, "not a number"},
		{"-1", "{\"topic\":\"a\"}", 0, "not a number"},
		{"+13", "{\"topic\":\"a\"}", 0, "not a number"},
		{"13, 13", "{\"topic\":\"a\"}", 0, "not a number"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct publish_case c;

		case_begin(&c, HANDLE_AUTH_NONE);
		case_give(&c, "CONTENT_LENGTH", cases[i].length);
		c.server.piece = 5;
		c.server.breaks_at = cases[i].breaks_at;
		ck_assert_uint_eq(case_post(&c, JSON, cases[i].body), 400);
		ck_assert_msg(case_says(&c, cases[i].says), "%s", c.server.answer.data);
		ck_assert_uint_eq(c.memory.appends, 0);
		case_end(&c);
	}
}
END_TEST

START_TEST(a_body_beyond_max_body_size_is_413)
{
	static const char *const lengths[] = {"4097", "18446744073709551616", NULL};
	char body[MAX_BODY + 2];

	memset(body, ' ', sizeof(body));
	memcpy(body, "{\"topic\":\"a\"}", 13);
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		struct publish_case c;

		case_begin(&c, HANDLE_AUTH_NONE);
		case_give(&c, "CONTENT_LENGTH", lengths[i]);
		body[MAX_BODY + 1] = '\0';
		ck_assert_uint_eq(case_post(&c, JSON, body), 413);
		ck_assert(case_says(&c, "4096 bytes (max_body_size)"));
		/* said before the body is read where the length is known */
		ck_assert_uint_eq(c.server.taken, lengths[i] ? 0 : MAX_BODY + 1);

		body[MAX_BODY] = '\0';
		case_give(&c, "CONTENT_LENGTH", lengths[i] ? "4096" : NULL);
		ck_assert_uint_eq(case_post(&c, JSON, body), 200);
		body[MAX_BODY] = ' ';
		case_end(&c);
	}
}
END_TEST

START_TEST(who_and_what_are_checked_before_the_body_is_read)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_TOKEN);
	ck_assert_uint_eq(case_post(&c, "text/plain", "x"), 401);
	ck_assert_uint_eq(c.server.taken, 0);
	case_give(&c, "HTTP_AUTHORIZATION", "Bearer secret");
	ck_assert_uint_eq(case_post(&c, "text/plain", "x"), 415);
	ck_assert_uint_eq(c.server.taken, 0);
	case_end(&c);
}
END_TEST

START_TEST(a_web_server_that_is_gone_is_told_to_the_caller)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_NONE);
	struct exchange x = case_exchange(&c);
	struct publish_log log = case_log(&c);
	c.server.gone = true;
	ck_assert_int_eq(exchange_serve(&x, &c.config, NULL, &log), -EPIPE);
	case_end(&c);
}
END_TEST

RUN_TESTS("exchange", a_header_that_mod_rewrite_renamed_is_found,
	  a_body_is_read_to_its_length_or_its_end_in_any_pieces,
	  what_stands_behind_the_length_is_not_read,
	  a_body_that_is_too_short_empty_or_broken_is_400, a_body_beyond_max_body_size_is_413,
	  who_and_what_are_checked_before_the_body_is_read,
	  a_web_server_that_is_gone_is_told_to_the_caller)
