/* test_control: what control messages may say, whom they mean, and that they are written as they
 * are read. */
#include "common/control.h"

#include <errno.h>
#include <stdio.h>

#include "common/buf.h"
#include "tests/unit/run.h"

enum { LONG_BYTES = 2 * CONTROL_MAX_BYTES };

static int parse(const char *json, struct control *c, struct control_error *error)
{
	return control_parse(span_of(json), c, error);
}

/* ---- both ways ---- */

/* What a message is written as after it was read. */
static const char *written(const char *json)
{
	static char text[CONTROL_MAX_BYTES + 1];
	struct control_error error;
	struct control c;
	struct buf b;

	ck_assert_msg(parse(json, &c, &error) == 0, "%s: %s", json, error.why);
	buf_init(&b, CONTROL_MAX_BYTES);
	ck_assert_int_eq(control_format(&c, &b), 0);
	snprintf(text, sizeof(text), "%s", b.data);
	buf_done(&b);
	return text;
}

START_TEST(a_message_is_written_as_it_was_read)
{
	static const char *const cases[] = {
		"{\"disconnect\":{\"user\":\"42\"}}",
		"{\"disconnect\":{\"topic\":\"comments\"}}",
		"{\"recheck\":{\"user\":\"42\",\"topic\":\"order:*\"}}",
		"{\"recheck\":{\"all\":true}}",
		"{\"revoke\":{\"user\":\"42\",\"seconds\":3600}}",
		"{\"revoke\":{\"all\":true,\"seconds\":2592000}}",
		"{\"revoke\":{\"topic\":\"*\",\"seconds\":0}}",
		"{\"disconnect\":{\"user\":\"\\\"\\\\/\xc3\xbc\"},\"id\":\"x\\u0000y\"}",
		"{\"disconnect\":{\"all\":true},\"id\":\"1\"}",
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_str_eq(written(cases[i]), cases[i]);
}
END_TEST

START_TEST(the_same_is_written_the_same_however_it_was_spelled)
{
	static const char plain[] =
		"{\"revoke\":{\"user\":\"42\",\"topic\":\"a/b\",\"seconds\":7},\"id\":\"7\"}";
	static const char turned[] =
		"{\"id\":\"7\",\"revoke\":{\"seconds\":7,\"topic\":\"a/b\",\"user\":\"42\"}}";
	static const char escaped[] =
		" { \"\\u0069d\" :\t\"7\" , \"revok\\u0065\" :\n{ \"seconds\" : 7 , "
		"\"top\\u0069c\" : \"a\\/b\" , \"user\" : \"\\u0034\\u0032\" } } ";

	ck_assert_str_eq(written(plain), plain);
	ck_assert_str_eq(written(turned), plain);
	ck_assert_str_eq(written(escaped), plain);
}
END_TEST

START_TEST(a_selector_alone_is_read_and_written_too)
{
	static const char *const good[] = {"{\"user\":\"42\"}", "{\"topic\":\"a*\"}",
					   "{\"user\":\"\\\"\",\"topic\":\"a\"}", "{\"all\":true}"};
	static const char *const bad[] = {
		"",
		"1",
		"{",
		"[]",
		"{}",
		"{\"user\":\"\"}",
		"{\"all\":false}",
		"{\"user\":\"42\",\"seconds\":1}",
		"{\"user\":\"42\"} x",
		"{\"disconnect\":{\"user\":\"42\"}}",
	};
	struct control_selector who;

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct buf b;

		ck_assert_msg(control_selector_parse(span_of(good[i]), &who) == 0, "%s", good[i]);
		buf_init(&b, CONTROL_MAX_BYTES);
		ck_assert_int_eq(control_selector_format(&who, &b), 0);
		ck_assert_str_eq(b.data, good[i]);
		buf_done(&b);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ck_assert_msg(control_selector_parse(span_of(bad[i]), &who) != 0, "%s", bad[i]);
}
END_TEST

START_TEST(what_does_not_fit_is_not_written)
{
	struct control c = {.kind = CONTROL_REVOKE, .seconds = 7, .id_len = 1, .id = "i"};
	struct buf b;

	memset(c.who.user, '"', sizeof(c.who.user));
	c.who.user_len = sizeof(c.who.user);
	memcpy(c.who.topic, "a*", 2);
	c.who.topic_len = 2;
	for (size_t max = 0;; max++) {
		int rc;

		buf_init(&b, max);
		rc = control_format(&c, &b);
		buf_done(&b);
		ck_assert(rc == 0 || rc == -ENOBUFS);
		if (rc == 0)
			break;
	}
}
END_TEST

START_TEST(verbs_have_their_names)
{
	ck_assert_str_eq(control_verb(CONTROL_DISCONNECT), "disconnect");
	ck_assert_str_eq(control_verb(CONTROL_RECHECK), "recheck");
	ck_assert_str_eq(control_verb(CONTROL_REVOKE), "revoke");
}
END_TEST

/* ---- what is refused ---- */

static void assert_refused(const char *json, const char *verb, const char *field, const char *why)
{
	struct control_error error;
	struct control c;

	ck_assert_msg(parse(json, &c, &error) == -1, "%s", json);
	ck_assert_msg(!error.unreadable, "%s", json);
	ck_assert_pstr_eq(error.verb, verb);
	ck_assert_pstr_eq(error.field, field);
	ck_assert_msg(strstr(error.why, why) != NULL, "%s: %s", json, error.why);
}

START_TEST(every_rule_that_is_broken_is_named_with_its_field)
{
	static const struct {
		const char *json, *verb, *field, *why;
	} cases[] = {
		{"1", NULL, NULL, "is a JSON object"},
		{"[]", NULL, NULL, "is a JSON object"},
		{"{}", NULL, NULL, "disconnect, recheck or revoke"},
		{"{\"id\":\"x\"}", NULL, NULL, "disconnect, recheck or revoke"},
		{"{\"kick\":{\"user\":\"42\"}}", NULL, NULL, "disconnect, recheck or revoke"},
		{"{\"Disconnect\":{\"user\":\"42\"}}", NULL, NULL, "disconnect, recheck or revoke"},
		{"{\"disconnect\":{\"user\":\"1\"},\"recheck\":{\"user\":\"1\"}}", NULL, NULL,
		 "one thing"},
		{"{\"disconnect\":{\"user\":\"1\"},\"disconnect\":{\"user\":\"2\"}}", NULL, NULL,
		 "one thing"},
		{"{\"disconnect\":{\"user\":\"1\"},\"x\":1}", NULL, NULL, "one thing"},
		{"{\"disconnect\":{\"user\":\"1\"},\"id\":1}", NULL, "id", "a text"},
		{"{\"disconnect\":{\"user\":\"1\"},\"id\":\"\"}", NULL, "id", "a text"},
		{"{\"id\":\"a\",\"id\":\"b\",\"disconnect\":{\"user\":\"1\"}}", NULL, "id",
		 "twice"},
		{"{\"disconnect\":true}", "disconnect", NULL, "an object"},
		{"{\"recheck\":[\"42\"]}", "recheck", NULL, "an object"},
		{"{\"revoke\":\"42\"}", "revoke", NULL, "an object"},
		{"{\"disconnect\":{}}", "disconnect", NULL, "\"all\":true"},
		{"{\"revoke\":{\"seconds\":1}}", "revoke", NULL, "\"all\":true"},
		{"{\"disconnect\":{\"who\":\"42\"}}", "disconnect", NULL, "can stand there"},
		{"{\"disconnect\":{\"user\":\"42\",\"x\":1}}", "disconnect", NULL, "can stand"},
		{"{\"disconnect\":{\"user\":\"42\",\"seconds\":1}}", "disconnect", NULL, "can"},
		{"{\"disconnect\":{\"user\":42}}", "disconnect", "user", "1 to 256"},
		{"{\"disconnect\":{\"user\":null}}", "disconnect", "user", "1 to 256"},
		{"{\"disconnect\":{\"user\":\"\"}}", "disconnect", "user", "1 to 256"},
		{"{\"disconnect\":{\"user\":\"a\\u0000\"}}", "disconnect", "user", "control"},
		{"{\"disconnect\":{\"user\":\"a\\n\"}}", "disconnect", "user", "control"},
		{"{\"disconnect\":{\"user\":\"a\\u007f\"}}", "disconnect", "user", "control"},
		{"{\"disconnect\":{\"user\":\"a\\u0085\"}}", "disconnect", "user", "control"},
		{"{\"recheck\":{\"user\":\"1\",\"user\":\"1\"}}", "recheck", "user", "twice"},
		{"{\"recheck\":{\"topic\":\"\"}}", "recheck", "topic", "a topic"},
		{"{\"recheck\":{\"topic\":7}}", "recheck", "topic", "a topic"},
		{"{\"recheck\":{\"topic\":[\"a\"]}}", "recheck", "topic", "a topic"},
		{"{\"recheck\":{\"topic\":\"a b\"}}", "recheck", "topic", "a topic"},
		{"{\"recheck\":{\"topic\":\"a,b\"}}", "recheck", "topic", "a topic"},
		{"{\"recheck\":{\"topic\":\"a**\"}}", "recheck", "topic", "a topic"},
		{"{\"recheck\":{\"topic\":\"*a\"}}", "recheck", "topic", "a topic"},
		{"{\"recheck\":{\"topic\":\":*\"}}", "recheck", "topic", "a topic"},
		{"{\"recheck\":{\"topic\":\"a\\u0000\"}}", "recheck", "topic", "a topic"},
		{"{\"recheck\":{\"topic\":\"a\",\"topic\":\"a\"}}", "recheck", "topic", "twice"},
		{"{\"recheck\":{\"all\":1}}", "recheck", "all", "true alone"},
		{"{\"recheck\":{\"all\":false}}", "recheck", "all", "true alone"},
		{"{\"recheck\":{\"all\":\"true\"}}", "recheck", "all", "true alone"},
		{"{\"recheck\":{\"all\":true,\"all\":true}}", "recheck", "all", "twice"},
		{"{\"recheck\":{\"all\":true,\"user\":\"42\"}}", "recheck", "all", "alone"},
		{"{\"recheck\":{\"topic\":\"a\",\"all\":true}}", "recheck", "all", "alone"},
		{"{\"revoke\":{\"user\":\"42\"}}", "revoke", "seconds", "needs seconds"},
		{"{\"revoke\":{\"user\":\"42\",\"seconds\":-1}}", "revoke", "seconds", "0 to"},
		{"{\"revoke\":{\"user\":\"42\",\"seconds\":1.5}}", "revoke", "seconds", "0 to"},
		{"{\"revoke\":{\"user\":\"42\",\"seconds\":1e3}}", "revoke", "seconds", "0 to"},
		{"{\"revoke\":{\"user\":\"42\",\"seconds\":\"60\"}}", "revoke", "seconds", "0 to"},
		{"{\"revoke\":{\"user\":\"42\",\"seconds\":2592001}}", "revoke", "seconds", "0 to"},
		{"{\"revoke\":{\"all\":true,\"seconds\":99999999999999999999}}", "revoke",
		 "seconds", "0 to"},
		{"{\"revoke\":{\"all\":true,\"seconds\":1,\"seconds\":1}}", "revoke", "seconds",
		 "twice"},
		{"{\"recheck\":{\"user\":[[1]]}}", NULL, NULL, "too deep"},
		{"{\"recheck\":{\"user\":\"\\ud800\"}}", NULL, NULL, "partner"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_refused(cases[i].json, cases[i].verb, cases[i].field, cases[i].why);
}
END_TEST

START_TEST(what_is_no_json_is_unreadable)
{
	static const char *const cases[] = {
		"",
		" ",
		"{",
		"{\"disconnect\":{\"user\":\"42\"}",
		"{\"disconnect\":{\"user\":\"42\"}}x",
		"{'disconnect':{'user':'42'}}",
		"{\"disconnect\":{\"user\":\"4\n2\"}}",
		"{\"disconnect\":{\"user\":\"\xfc\"}}",
		"{\"revoke\":{\"all\":true,\"seconds\":007}}",
	};
	struct control_error error;
	struct control c;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ck_assert_msg(parse(cases[i], &c, &error) == -1, "%s", cases[i]);
		ck_assert_msg(error.unreadable && error.why, "%s", cases[i]);
	}
}
END_TEST

START_TEST(no_beginning_of_a_message_is_one)
{
	static const char whole[] =
		"{\"revoke\":{\"user\":\"a\\u00e9\",\"topic\":\"a*\",\"seconds\":60},\"id\":\"x\"}";
	struct control_error error;
	struct control c;

	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char *copy = malloc(len + 1); /* the end of the block is the end of the text */

		memcpy(copy + 1, whole, len);
		ck_assert_int_eq(control_parse((struct span){copy + 1, len}, &c, &error), -1);
		ck_assert(error.unreadable);
		free(copy);
	}
	ck_assert_int_eq(parse(whole, &c, &error), 0);
}
END_TEST

/* ---- limits ---- */

/* Reads a message with so many bytes between its beginning and its end. */
static int parse_long(const char *begin, size_t len, const char *end, struct control *out)
{
	char json[LONG_BYTES];
	struct control_error error;
	size_t at = strlen(begin);

	memcpy(json, begin, at);
	memset(json + at, 'x', len);
	snprintf(json + at + len, sizeof(json) - at - len, "%s", end);
	return parse(json, out, &error);
}

START_TEST(a_user_has_256_bytes_a_topic_200_and_an_id_64)
{
	static const char user[] = "{\"disconnect\":{\"user\":\"";
	static const char topic[] = "{\"disconnect\":{\"topic\":\"";
	static const char id[] = "{\"disconnect\":{\"all\":true},\"id\":\"";
	struct control c;

	ck_assert_int_eq(parse_long(user, 256, "\"}}", &c), 0);
	ck_assert_uint_eq(c.who.user_len, 256);
	ck_assert_int_eq(parse_long(user, 257, "\"}}", &c), -1);
	ck_assert_int_eq(parse_long(user, 4000, "\"}}", &c), -1);
	ck_assert_int_eq(parse_long(topic, 200, "\"}}", &c), 0);
	ck_assert_int_eq(parse_long(topic, 201, "\"}}", &c), -1);
	ck_assert_int_eq(parse_long(topic, 200, "*\"}}", &c), 0);
	ck_assert_uint_eq(c.who.topic_len, 201);
	ck_assert_int_eq(parse_long(topic, 201, "*\"}}", &c), -1);
	ck_assert_int_eq(parse_long(id, 64, "\"}", &c), 0);
	ck_assert_int_eq(parse_long(id, 65, "\"}", &c), -1);
}
END_TEST

START_TEST(a_message_has_4096_bytes)
{
	static const char whole[] = "{\"disconnect\":{\"all\":true}}";
	char json[CONTROL_MAX_BYTES + 1];
	struct control_error error;
	struct control c;

	memset(json, ' ', sizeof(json));
	memcpy(json, whole, sizeof(whole) - 1);
	ck_assert_int_eq(control_parse((struct span){json, CONTROL_MAX_BYTES}, &c, &error), 0);
	ck_assert_int_eq(control_parse((struct span){json, CONTROL_MAX_BYTES + 1}, &c, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.why, "4096"));
}
END_TEST

START_TEST(a_user_can_be_named_that_is_text_without_control_characters)
{
	static const struct {
		const char *user;
		size_t len;
		bool valid;
	} cases[] = {
		{"42", 2, true},        {"a b", 3, true},   {"\xc3\xbc", 2, true},
		{"", 0, false},         {"a\0b", 3, false}, {"a\tb", 3, false},
		{"\xc2\x85", 2, false}, {"\xff", 1, false}, {NULL, 0, false},
	};
	char longest[CONTROL_USER_BYTES + 1];

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_msg(control_user_valid((struct span){cases[i].user, cases[i].len}) ==
				      cases[i].valid,
			      "%zu", i);
	memset(longest, 'u', sizeof(longest));
	ck_assert(control_user_valid((struct span){longest, CONTROL_USER_BYTES}));
	ck_assert(!control_user_valid((struct span){longest, CONTROL_USER_BYTES + 1}));
}
END_TEST

/* ---- whom it means ---- */

START_TEST(a_selector_means_who_is_both_its_user_and_hears_its_topics)
{
	static const struct {
		const char *who, *user, *topic;
		bool user_meant, topic_meant;
	} cases[] = {
		{"{\"all\":true}", "42", "a", true, true},
		{"{\"all\":true}", NULL, "a", true, true},
		{"{\"user\":\"42\"}", "42", "a", true, true},
		{"{\"user\":\"42\"}", "421", "a", false, true},
		{"{\"user\":\"42\"}", "4", "a", false, true},
		{"{\"user\":\"42\"}", NULL, "a", false, true},
		{"{\"user\":\"42\"}", "", "a", false, true},
		{"{\"topic\":\"a\"}", NULL, "a", true, true},
		{"{\"topic\":\"a\"}", "42", "ab", true, false},
		{"{\"topic\":\"ab\"}", "42", "a", true, false},
		{"{\"topic\":\"*\"}", NULL, "anything", true, true},
		{"{\"topic\":\"a*\"}", NULL, "a", true, true},
		{"{\"topic\":\"a*\"}", NULL, "ab:c", true, true},
		{"{\"topic\":\"a:*\"}", NULL, "a", true, false},
		{"{\"topic\":\"a*\"}", NULL, "ba", true, false},
		{"{\"user\":\"42\",\"topic\":\"a*\"}", "42", "ab", true, true},
		{"{\"user\":\"42\",\"topic\":\"a*\"}", "43", "ab", false, true},
		{"{\"user\":\"42\",\"topic\":\"a*\"}", "42", "b", true, false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span user = span_of(cases[i].user), topic = span_of(cases[i].topic);
		struct control_selector who;

		ck_assert_int_eq(control_selector_parse(span_of(cases[i].who), &who), 0);
		ck_assert_msg(control_selects_user(&who, user) == cases[i].user_meant, "%zu", i);
		ck_assert_msg(control_selects_topic(&who, topic) == cases[i].topic_meant, "%zu", i);
		ck_assert_msg(control_selects(&who, user, topic) ==
				      (cases[i].user_meant && cases[i].topic_meant),
			      "%zu", i);
	}
}
END_TEST

RUN_TESTS("control", a_message_is_written_as_it_was_read,
	  the_same_is_written_the_same_however_it_was_spelled,
	  a_selector_alone_is_read_and_written_too, what_does_not_fit_is_not_written,
	  verbs_have_their_names, every_rule_that_is_broken_is_named_with_its_field,
	  what_is_no_json_is_unreadable, no_beginning_of_a_message_is_one,
	  a_user_has_256_bytes_a_topic_200_and_an_id_64, a_message_has_4096_bytes,
	  a_user_can_be_named_that_is_text_without_control_characters,
	  a_selector_means_who_is_both_its_user_and_hears_its_topics)
