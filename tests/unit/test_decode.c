/* test_decode: what holds for both forms of a body. */
#include "publisher/decode.h"

#include <stdio.h>

#include "common/jsonspan.h"
#include "common/urlenc.h"
#include "publisher/response.h"
#include "tests/unit/decode_case.h"
#include "tests/unit/payloads.h"
#include "tests/unit/run.h"

START_TEST(content_types_are_told_apart)
{
	static const struct {
		const char *type;
		int form, charset; /* -1: 415 */
	} cases[] = {
		{"application/json", 0, CHARSET_UTF8},
		{"Application/JSON;charset=utf-8", 0, CHARSET_UTF8},
		{"application/json ; charset=iso-8859-1", 0, CHARSET_UTF8},
		{"application/x-www-form-urlencoded", 1, CHARSET_UTF8},
		{" application/X-WWW-Form-Urlencoded ", 1, CHARSET_UTF8},
		{FORM ";charset=UTF-8", 1, CHARSET_UTF8},
		{FORM "; Charset=\"ISO-8859-1\"", 1, CHARSET_LATIN1},
		{FORM "; a=b; charset=latin1; c", 1, CHARSET_LATIN1},
		{FORM "; charset=Windows-1252", 1, CHARSET_WINDOWS1252},
		{FORM ";", 1, CHARSET_UTF8},
		{FORM "; charset=", -1, 0},
		{FORM "; charset=utf-16", -1, 0},
		{FORM "; charset=iso-8859-15", -1, 0},
		{NULL, -1, 0},
		{"", -1, 0},
		{";", -1, 0},
		{"json", -1, 0},
		{"application/jsonp", -1, 0},
		{"text/json", -1, 0},
		{"text/plain", -1, 0},
		{"application/json, text/plain", -1, 0},
		{"multipart/form-data; boundary=x", -1, 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct decode_media media;
		struct response r;

		response_init(&r);
		int rc = decode_content_type(cases[i].type, &media, &r);
		ck_assert_msg(rc == (cases[i].form < 0 ? -1 : 0), "%s", cases[i].type);
		if (rc == 0) {
			ck_assert_int_eq(media.form, cases[i].form);
			ck_assert_int_eq((int)media.charset, cases[i].charset);
		} else {
			ck_assert_uint_eq(r.status, 415);
		}
		response_done(&r);
	}
}
END_TEST

START_TEST(the_cure_is_said_where_one_is_known)
{
	static const struct {
		const char *content_type, *body, *cure;
	} cases[] = {
		{FORM, "topic=a&data[x]=1", "json_encode"},
		{FORM, "topic=a&data=%FC", "charset=iso-8859-1"},
		{FORM, "{\"topic\":\"a\"}", "Content-Type: application/json"},
		{FORM "; charset=windows-1252", "topic=a&data=%81", "send UTF-8"},
		{JSON, "{\"topic\":\"\xfc\"}", "mb_convert_encoding"},
		{JSON, "\xef\xbb\xbf{}", "byte order mark"},
		{JSON, "", "mod_fcgid"},
		{JSON, "{\"topic\":\"a b\"}", "letter or digit"},
		{JSON, "{\"topic\":\"a\",\"foo\":1}", "idempotency_key"},
		{NULL, "x", "application/x-www-form-urlencoded"},
		{"multipart/form-data; boundary=x", "x", "http_build_query"},
		{FORM "; charset=koi8-r", "x", "UTF-8"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[TEXT_BYTES], detail[TEXT_BYTES];

		ck_assert_int_eq(decode(cases[i].content_type, cases[i].body, strlen(cases[i].body),
					text, detail),
				 -1);
		ck_assert_msg(strstr(detail, cases[i].cure) != NULL, "%s", detail);
	}
}
END_TEST

START_TEST(lengths_of_names_and_keys_are_bounded)
{
	static const struct {
		const char *member;
		size_t max;
	} cases[] = {
		{"event", EVENT_NAME_MAX_BYTES},
		{"key", EVENT_KEY_MAX_BYTES},
		{"idempotency_key", DECODE_MAX_KEY},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		for (size_t len = cases[i].max; len <= cases[i].max + 1; len++) {
			char value[300], body[512], text[TEXT_BYTES], expected[64];

			memset(value, 'v', len);
			value[len] = '\0';
			snprintf(body, sizeof(body), "{\"topic\":\"a\",\"%s\":\"%s\"}",
				 cases[i].member, value);
			snprintf(expected, sizeof(expected), "422 %s", cases[i].member);
			int rc = decode(JSON, body, strlen(body), text, NULL);
			ck_assert_int_eq(rc, len <= cases[i].max ? 0 : -1);
			ck_assert(rc == 0 || strcmp(text, expected) == 0);
			snprintf(body, sizeof(body), "topic=a&%s=%s", cases[i].member, value);
			ck_assert_int_eq(decode(FORM, body, strlen(body), text, NULL), rc);
		}
	}
}
END_TEST

/* The body that publishes this payload. */
static void body_of(const struct payload *row, struct buf *body)
{
	int rc = buf_append_str(body, row->form ? "topic=t&data=" : "{\"topic\":\"t\"");

	if (row->form) {
		rc |= urlenc_append(body, row->published.data, row->published.len);
	} else {
		if (!row->missing) {
			rc |= buf_append_str(body, ",\"data\":");
			rc |= buf_append(body, row->published.data, row->published.len);
		}
		rc |= buf_append_char(body, '}');
	}
	ck_assert_int_eq(rc, 0);
}

START_TEST(every_payload_of_the_table_is_decoded_or_refused_as_it_says)
{
	struct payload_table table;
	size_t refused = 0;

	payload_table_load(&table);
	for (size_t i = 0; i < table.n; i++) {
		const struct payload *row = &table.rows[i];
		struct decode_media media = {.form = row->form};
		struct publication p;
		struct response r;
		struct buf body;

		buf_init(&body, 1 << 20);
		response_init(&r);
		body_of(row, &body);
		int rc = decode_body((struct span){body.data, body.len}, &media, MAX_MESSAGE, &p,
				     &r);
		if (row->refused == 400 || row->refused == 422) {
			ck_assert_msg(rc == -1 && r.status == (unsigned)row->refused, "%s: %u",
				      row->name, r.status);
			refused++;
		} else if (row->refused == 0) {
			struct span data = p.events[0].data;

			ck_assert_msg(rc == 0, "%s: %s", row->name, r.body.data);
			ck_assert_msg(!row->form || jsonspan_is_string(data) == !row->object, "%s",
				      row->name);
			ck_assert_msg(row->missing || (row->form && !row->object) ||
					      span_equal(data, jsonspan_trim(row->published.data,
									     row->published.len)),
				      "%s", row->name);
		}
		publication_done(&p);
		response_done(&r);
		buf_done(&body);
	}
	ck_assert_uint_gt(refused, 20);
	payload_table_done(&table);
}
END_TEST

START_TEST(every_prefix_of_a_body_is_read_safely)
{
	static const char *const bodies[][2] = {
		{JSON, "[{\"topics\":[\"a\",\"b\\u0063\"],\"event\":\"e\\n\",\"data\":{\"a\":[1]}},"
		       "{\"key\":\"k\"}]"},
		{FORM, "topic%5B0%5D=a,+b&event=e%20f&data=%7B%22a%22:1%7D&key=k&x"},
		{FORM "; charset=windows-1252", "topic=a&data=\x80%80\x81"},
	};

	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		for (size_t len = 0; len <= strlen(bodies[i][1]); len++) {
			char text[TEXT_BYTES];

			decode(bodies[i][0], bodies[i][1], len, text, NULL);
			ck_assert_uint_gt(strlen(text), 0);
		}
	}
}
END_TEST

RUN_TESTS("decode", content_types_are_told_apart, the_cure_is_said_where_one_is_known,
	  lengths_of_names_and_keys_are_bounded,
	  every_payload_of_the_table_is_decoded_or_refused_as_it_says,
	  every_prefix_of_a_body_is_read_safely)
