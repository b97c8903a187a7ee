/* test_decode_control: what a body says as JSON and as a form, or what is wrong with it. */
#include "publisher/decode_control.h"

#include <stdio.h>

#include "common/control.h"
#include "publisher/decode.h"
#include "publisher/response.h"
#include "tests/unit/run.h"

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

enum { TEXT_BYTES = 2 * CONTROL_MAX_BYTES };

/* Decodes a copy of just this length; to out[TEXT_BYTES] the message as JSON, or the status and the
 * answer's body. */
static void decode(const char *type, const char *body, size_t len, char *out)
{
	char *copy = malloc(len + 1);
	struct decode_media media;
	struct control c;
	struct response r;
	struct buf text;

	memcpy(copy + 1, body, len);
	response_init(&r);
	buf_init(&text, TEXT_BYTES);
	ck_assert_int_eq(decode_content_type(type, &media, &r), 0);
	if (decode_control((struct span){copy + 1, len}, &media, &c, &r) == 0) {
		ck_assert_int_eq(control_format(&c, &text), 0);
		snprintf(out, TEXT_BYTES, "%s", text.data);
	} else {
		snprintf(out, TEXT_BYTES, "%u %s", r.status, r.body.data);
	}
	buf_done(&text);
	response_done(&r);
	free(copy);
}

static void check(const char *type, const char *body, const char *expected)
{
	char text[TEXT_BYTES];

	decode(type, body, strlen(body), text);
	ck_assert_msg(strcmp(text, expected) == 0, "%s\n  gave    %s\n  and not %s", body, text,
		      expected);
}

/* The answer has that status and field (NULL: none), and says that. */
static void check_refused(const char *type, const char *body, unsigned status, const char *field,
			  const char *says)
{
	char text[TEXT_BYTES], start[16], end[128];

	decode(type, body, strlen(body), text);
	snprintf(start, sizeof(start), "%u {", status);
	snprintf(end, sizeof(end), "\"field\":\"%s\"}", field ? field : "");
	ck_assert_msg(strncmp(text, start, strlen(start)) == 0, "%s: %s", body, text);
	ck_assert_msg(strstr(text, says) != NULL, "%s: %s", body, text);
	ck_assert_msg(field ? strstr(text, end) != NULL : !strstr(text, "\"field\""), "%s: %s",
		      body, text);
}

START_TEST(json_and_a_form_of_the_same_say_the_same)
{
	static const struct {
		const char *json, *form;
	} cases[] = {
		{"{\"disconnect\":{\"user\":\"42\"}}", "disconnect[user]=42"},
		{"{\"disconnect\":{\"user\":\"42\"}}", "disconnect%5Buser%5D=42"},
		{"{\"disconnect\":{\"user\":\"a b\"}}", "&disconnect[user]=a+b&"},
		{"{\"recheck\":{\"topic\":\"a/b*\"}}", "recheck[topic]=a%2Fb*"},
		{"{\"recheck\":{\"all\":true}}", "recheck[all]=1"},
		{"{\"recheck\":{\"all\":true}}", "recheck[all]=true"},
		{"{\"revoke\":{\"user\":\"42\",\"seconds\":3600}}",
		 "revoke[user]=42&revoke[seconds]=3600"},
		{"{\"revoke\":{\"user\":\"42\",\"topic\":\"a\",\"seconds\":0}}",
		 "revoke[seconds]=0&revoke%5Btopic%5D=a&revoke[user]=%34%32"},
		{"{\"disconnect\":{\"user\":\"true\"}}", "disconnect[user]=true"},
		{"{\"disconnect\":{\"user\":\"\\\"}},\"}}", "disconnect[user]=%22}},"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		check(JSON, cases[i].json, cases[i].json);
		check(FORM, cases[i].form, cases[i].json);
	}
}
END_TEST

START_TEST(a_form_may_come_in_another_character_set)
{
	check(FORM "; charset=latin1", "disconnect[user]=M%FCller",
	      "{\"disconnect\":{\"user\":\"M\xc3\xbcller\"}}");
	check(FORM "; charset=windows-1252", "disconnect[user]=\x80",
	      "{\"disconnect\":{\"user\":\"\xe2\x82\xac\"}}");
	check_refused(FORM "; charset=windows-1252", "disconnect[user]=%81", 400, NULL,
		      "character set");
	check_refused(FORM "; charset=iso-8859-1", "disconnect[user]=%81", 422, "disconnect.user",
		      "control characters");
	check_refused(FORM, "disconnect[user]=M%FCller", 400, NULL, "character set");
	check_refused(FORM, "disconnect[\xff]=1", 400, NULL, "character set");
}
END_TEST

START_TEST(the_fault_of_json_is_named)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *field, *says;
	} cases[] = {
		{"", 400, NULL, "mod_fcgid"},
		{"{", 400, NULL, "not JSON"},
		{"disconnect[user]=42", 400, NULL, "not JSON"},
		{"{\"disconnect\":{\"user\":\"\xfc\"}}", 400, NULL, "not UTF-8"},
		{"[]", 422, NULL, "JSON object"},
		{"{}", 422, NULL, "disconnect, recheck or revoke"},
		{"{\"disconnect\":{\"topic\":\"a b\"}}", 422, "disconnect.topic", "a topic"},
		{"{\"revoke\":{\"user\":\"42\"}}", 422, "revoke.seconds", "needs seconds"},
		{"{\"recheck\":{}}", 422, "recheck", "must name"},
		{"{\"recheck\":{\"user\":\"42\",\"x\":1}}", 422, "recheck", "can stand there"},
		{"{\"disconnect\":{\"user\":\"42\"},\"id\":\"x\"}", 422, "id", "leave it out"},
		{"{\"id\":7,\"disconnect\":{\"user\":\"42\"}}", 422, "id", "id"},
		{"{\"disconnect\":{\"user\":[[]]}}", 422, NULL, "too deep"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check_refused(JSON, cases[i].body, cases[i].status, cases[i].field, cases[i].says);
}
END_TEST

START_TEST(a_field_of_a_form_that_means_nothing_is_an_error)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *field, *says;
	} cases[] = {
		{"", 400, NULL, "mod_fcgid"},
		{"&", 422, NULL, "disconnect, recheck or revoke"},
		{"disconnect[user]=%4", 400, NULL, "hexadecimal"},
		{"%zz=1", 400, NULL, "hexadecimal"},
		{"user=42", 422, "user", "disconnect[user]"},
		{"disconnect=42", 422, "disconnect", "disconnect[user]"},
		{"disconnect[user]=42&csrf=1", 422, "csrf", "no other one"},
		{"disconnect[user]=42&=1", 422, NULL, "no other one"},
		{"[user]=42", 422, "[user]", "no other one"},
		{"disconnect[user=42", 422, "disconnect[user", "no other one"},
		{"disconnect[user]x=42", 422, "disconnect[user]x", "no other one"},
		{"{\"disconnect\":{\"user\":\"42\"}}", 422,
		 "{\\\"disconnect\\\":{\\\"user\\\":"
		 "\\\"42\\\"}}",
		 "JSON wants Content-Type: application/json"},
		{"disconnect[user]=42&recheck[user]=42", 422, NULL, "one thing at a time"},
		{"kick[user]=42", 422, NULL, "disconnect, recheck or revoke"},
		{"id=7&disconnect[user]=42", 422, "id", "no other one"},
		{"disconnect[id]=7", 422, "disconnect", "can stand there"},
		{"disconnect[user][]=42", 422, "disconnect", "can stand there"},
		{"disconnect[]=42", 422, "disconnect", "can stand there"},
		{"disconnect[user]=42&disconnect[user]=43", 422, "disconnect.user", "twice"},
		{"disconnect[user]=", 422, "disconnect.user", "1 to 256"},
		{"disconnect[user]", 422, "disconnect.user", "1 to 256"},
		{"disconnect[user]=a%00", 422, "disconnect.user", "control characters"},
		{"recheck[all]=0", 422, "recheck.all", "true alone"},
		{"recheck[all]=", 422, "recheck.all", "true alone"},
		{"revoke[user]=42", 422, "revoke.seconds", "needs seconds"},
		{"revoke[user]=42&revoke[seconds]=", 422, "revoke.seconds", "0 to"},
		{"revoke[user]=42&revoke[seconds]=-1", 422, "revoke.seconds", "0 to"},
		{"revoke[user]=42&revoke[seconds]=007", 422, "revoke.seconds", "0 to"},
		{"revoke[user]=42&revoke[seconds]=2592001", 422, "revoke.seconds", "0 to"},
		{"revoke[user]=42&revoke[seconds]=99999999999999999999", 422, "revoke.seconds",
		 "0 to"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check_refused(FORM, cases[i].body, cases[i].status, cases[i].field, cases[i].says);
}
END_TEST

START_TEST(a_body_beyond_4096_bytes_is_too_large)
{
	char body[CONTROL_MAX_BYTES + 2], text[TEXT_BYTES];
	static const char json[] = "{\"recheck\":{\"all\":true}}";

	for (size_t len = CONTROL_MAX_BYTES; len <= CONTROL_MAX_BYTES + 1; len++) {
		memset(body, ' ', sizeof(body));
		memcpy(body, json, sizeof(json) - 1);
		decode(JSON, body, len, text);
		ck_assert_int_eq(strncmp(text, "413 ", 4) == 0, len > CONTROL_MAX_BYTES);
		memset(body, '"', sizeof(body)); /* a name that grows when it is escaped */
		decode(FORM, body, len, text);
		ck_assert_int_eq(strncmp(text, "413 ", 4) == 0, len > CONTROL_MAX_BYTES);
	}
}
END_TEST

START_TEST(the_longest_texts_of_a_form_are_refused_and_not_cut)
{
	static const char name[] = "disconnect[user]=";
	char body[CONTROL_MAX_BYTES], text[TEXT_BYTES];

	for (int byte = 0; byte < 256; byte++) {
		if (byte == '&' || byte == '%')
			continue;
		memset(body, byte, sizeof(body));
		memcpy(body, name, sizeof(name) - 1);
		decode(FORM "; charset=windows-1252", body, sizeof(body), text);
		ck_assert_msg(strncmp(text, "4", 1) == 0, "%d: %s", byte, text);
	}
}
END_TEST

RUN_TESTS("decode_control", json_and_a_form_of_the_same_say_the_same,
	  a_form_may_come_in_another_character_set, the_fault_of_json_is_named,
	  a_field_of_a_form_that_means_nothing_is_an_error, a_body_beyond_4096_bytes_is_too_large,
	  the_longest_texts_of_a_form_are_refused_and_not_cut)
