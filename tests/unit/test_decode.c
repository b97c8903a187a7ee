/* test_decode: what a body says, or which of its parts is wrong. */
#include "publisher/decode.h"

#include <json-c/json.h>
#include <stdio.h>

#include "common/jsonspan.h"
#include "common/urlenc.h"
#include "publisher/response.h"
#include "tests/unit/payloads.h"
#include "tests/unit/run.h"

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

enum { MAX_MESSAGE = 65536, TEXT_BYTES = 4096 };

static void append_span(char *out, const char *label, struct span s)
{
	size_t len = strlen(out);

	snprintf(out + len, TEXT_BYTES - len, "%s%.*s", label, (int)s.len, s.at ? s.at : "");
}

/* All that was decoded, as `name data [key] -> topic,topic` for each event. */
static const char *describe(const struct publication *p, char *out)
{
	*out = '\0';
	if (p->batch)
		append_span(out, "batch ", span_of(""));
	for (size_t i = 0; i < p->n_events; i++) {
		const struct event *e = &p->events[i];

		append_span(out, i > 0 ? "; " : "", e->name);
		append_span(out, " ", e->data);
		if (e->key.at)
			append_span(out, " key=", e->key);
		for (size_t k = 0; k < e->n_topics; k++)
			append_span(out, k == 0 ? " -> " : ",", e->topics[k]);
	}
	if (p->idempotency_key.at)
		append_span(out, " once=", p->idempotency_key);
	return out;
}

/* "status field", of an error that must have a detail. */
static const char *describe_error(const struct response *r, char *out)
{
	struct json_object *body = json_tokener_parse(r->body.data), *detail, *field = NULL;

	ck_assert_ptr_nonnull(body);
	ck_assert(json_object_object_get_ex(body, "detail", &detail));
	ck_assert_int_gt(json_object_get_string_len(detail), 0);
	json_object_object_get_ex(body, "field", &field);
	snprintf(out, TEXT_BYTES, "%u %s", r->status, field ? json_object_get_string(field) : "-");
	json_object_put(body);
	return out;
}

/* Decodes a copy of exactly this length, so that a sanitizer sees every read past its end. */
static int decode(const char *content_type, const char *body, size_t len, char *out, char *detail)
{
	struct decode_media media;
	struct publication p = {0};
	struct response r;
	char *copy = malloc(len);
	int rc;

	ck_assert(copy || len == 0);
	memcpy(copy, body, len);
	response_init(&r);
	rc = decode_content_type(content_type, &media, &r);
	if (rc == 0)
		rc = decode_body((struct span){copy, len}, &media, MAX_MESSAGE, &p, &r);
	if (rc == 0)
		describe(&p, out);
	else
		describe_error(&r, out);
	if (detail)
		snprintf(detail, TEXT_BYTES, "%s", rc < 0 ? r.body.data : "");
	publication_done(&p);
	response_done(&r);
	free(copy);
	return rc;
}

static void check(const char *content_type, const char *body, const char *expected)
{
	char text[TEXT_BYTES], detail[TEXT_BYTES];

	decode(content_type, body, strlen(body), text, detail);
	ck_assert_msg(strcmp(text, expected) == 0, "%s\n  gave      %s %s\n  and not   %s", body,
		      text, detail, expected);
}

static const struct body_case {
	const char *body, *expected;
} json_cases[] = {
	/* one event */
	{"{\"topic\":\"a\"}", "message {} -> a"},
	{"{\"topics\":[\"a\",\"b\"],\"event\":\"x\",\"data\":1}", "x 1 -> a,b"},
	{"{\"topics\":[\"a\",\"b\",\"a\"]}", "message {} -> a,b"},
	{" {\"data\" : {\"b\" : [1.0, 2]} , \"topic\":\"a\" } \n",
	 "message {\"b\" : [1.0, 2]} -> a"},
	{"{\"topic\":\"a\",\"data\":null}", "message null -> a"},
	{"{\"t\\u006fpic\":\"\\u0061:b\",\"event\":\"\\u00e9\\\"\"}", "\xc3\xa9\" {} -> a:b"},
	{"{\"topic\":\"a\",\"key\":\"k 1\",\"idempotency_key\":\"x\\u0079\"}",
	 "message {} key=k 1 -> a once=xy"},
	/* batches */
	{"[{\"topic\":\"a\"}]", "batch message {} -> a"},
	{"[{\"topic\":\"a\",\"data\":1},{\"topics\":[\"b\",\"c\"],\"event\":\"x\"}]",
	 "batch message 1 -> a; x {} -> b,c"},
	/* bodies that can't be read */
	{"{", "400 -"},
	{"  ", "400 -"},
	{"{'topic':'a'}", "400 -"},
	{"{\"topic\":\"a\"} x", "400 -"},
	{"{\"topic\":\"a\"}{\"topic\":\"a\"}", "400 -"},
	{"\xef\xbb\xbf{\"topic\":\"a\"}", "400 -"},
	{"{\"topic\":\"a\",\"data\":\"\xfc\"}", "400 -"},
	{"topic=a", "400 -"},
	/* rules about the whole */
	{"\"a\"", "422 -"},
	{"1", "422 -"},
	{"null", "422 -"},
	{"[]", "422 -"},
	{"[1]", "422 events[0]"},
	{"[{\"topic\":\"a\"},[]]", "422 events[1]"},
	{"{}", "422 topic"},
	{"{\"data\":1}", "422 topic"},
	{"[{\"topic\":\"a\"},{}]", "422 events[1].topic"},
	{"{\"topic\":\"a\",\"topics\":[\"b\"]}", "422 topics"},
	{"{\"topics\":[\"b\"],\"topic\":\"a\"}", "422 topics"},
	{"{\"topic\":\"a\",\"topic\":\"a\"}", "422 topic"},
	{"{\"topic\":\"a\",\"data\":1,\"d\\u0061ta\":1}", "422 data"},
	{"{\"topic\":\"a\",\"id\":\"1-0\"}", "422 id"},
	{"{\"topic\":\"a\",\"Event\":\"x\"}", "422 Event"},
	{"{\"topic\":\"a\",\"\":1}", "422 -"},
	{"[{\"topic\":\"a\",\"retry\":1}]", "422 events[0].retry"},
	/* rules about members */
	{"{\"topic\":1}", "422 topic"},
	{"{\"topic\":null}", "422 topic"},
	{"{\"topic\":[\"a\"]}", "422 topic"},
	{"{\"topic\":\"\"}", "422 topic"},
	{"{\"topic\":\"a,b\"}", "422 topic"},
	{"{\"topic\":\" a\"}", "422 topic"},
	{"{\"topic\":\"a b\"}", "422 topic"},
	{"{\"topic\":\"{a}\"}", "422 topic"},
	{"{\"topic\":\"a\\u0000\"}", "422 topic"},
	{"{\"topic\":\"a\\r\\nPING\\r\\n\"}", "422 topic"},
	{"{\"topic\":\"\xc3\xa9\"}", "422 topic"},
	{"{\"topic\":\"sse:log:a\"}", "422 topic"},
	{"{\"topics\":\"a\"}", "422 topics"},
	{"{\"topics\":{\"a\":\"b\"}}", "422 topics"},
	{"{\"topics\":[]}", "422 topics"},
	{"{\"topics\":[\"a\",1]}", "422 topics"},
	{"{\"topics\":[\"a\",\"b c\"]}", "422 topics[1]"},
	{"[{\"topic\":\"a\"},{\"topics\":[\"a\",\"\"]}]", "422 events[1].topics[1]"},
	{"{\"topic\":\"a\",\"event\":1}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"\"}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"x\\ny\"}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"x\\u0085\"}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"sse.open\"}", "422 event"},
	{"{\"topic\":\"a\",\"event\":\"SSE.open\"}", "SSE.open {} -> a"},
	{"{\"topic\":\"a\",\"key\":\"\"}", "422 key"},
	{"{\"topic\":\"a\",\"key\":\"a\\nb\"}", "422 key"},
	{"{\"topic\":\"a\",\"key\":7}", "422 key"},
	{"{\"topic\":\"a\",\"idempotency_key\":\"\"}", "422 idempotency_key"},
	{"{\"topic\":\"a\",\"idempotency_key\":7}", "422 idempotency_key"},
	{"[{\"topic\":\"a\",\"idempotency_key\":\"x\"}]", "422 events[0].idempotency_key"},
	/* rules about JSON itself, placed */
	{"{\"topic\":\"a\",\"data\":\"\\ud800\"}", "422 data"},
	{"{\"topic\":\"\\udc00\"}", "422 topic"},
	{"{\"topic\":\"a\",\"\\ud800\":1}", "422 -"},
	{"{\"\\ud800\":1,\"topic\":\"a\",\"data\":\"\\ud800\"}", "422 -"},
	{"[{\"topic\":\"a\"},{\"topic\":\"a\",\"data\":[\"\\ud800\"]}]", "422 events[1].data"},
	{"\"\\ud800\"", "422 -"},
};

START_TEST(json_bodies_are_read_or_their_fault_is_named)
{
	for (size_t i = 0; i < COUNT_OF(json_cases); i++)
		check(JSON, json_cases[i].body, json_cases[i].expected);
}
END_TEST

static const struct body_case form_cases[] = {
	{"topic=a", "message {} -> a"},
	{"topic=a&event=x&data=hello", "x \"hello\" -> a"},
	{"data=%7B%22id%22%3A1%7D&topic=comments", "message {\"id\":1} -> comments"},
	{"topic=a,b&topic=c", "message {} -> a,b,c"},
	{"topic=a&topic=a&topic=,b,,a,", "message {} -> a,b"},
	{"topic=+a+,%09b+", "message {} -> a,b"},
	{"topic[]=a&topic[]=b", "message {} -> a,b"},
	{"topic%5B0%5D=a&topic%5B1%5D=b", "message {} -> a,b"},
	{"topics=a,b", "message {} -> a,b"},
	{"topics[]=a&topics[]=b,c", "message {} -> a,b,c"},
	{"t%6fpic=%61", "message {} -> a"},
	{"topic=a&data=", "message \"\" -> a"},
	{"topic=a&data", "message \"\" -> a"},
	{"topic=a&data=a%0D%0Ab%00+c", "message \"a\\r\\nb\\u0000 c\" -> a"},
	{"topic=a&data=+%7B%7D", "message \" {}\" -> a"},
	{"topic=a&data=[1]", "message \"[1]\" -> a"},
	{"topic=a&data={1}", "message \"{1}\" -> a"},
	{"&&topic=a&&csrf=%C3&x[data]=1&submit", "message {} -> a"},
	{"topic=a&key=k&idempotency_key=1", "message {} key=k -> a once=1"},
	{"topic=a&event=%C3%A9", "\xc3\xa9 {} -> a"},
	/* refused */
	{"event=x", "422 topic"},
	{"topic=", "422 topic"},
	{"topic=,", "422 topic"},
	{"{\"topic\":\"a\"}", "422 topic"},
	{"[{\"topic\":\"a\"}]", "422 topic"},
	{"topic=a b", "422 topic"},
	{"topic=a%00", "422 topic"},
	{"topic=a,sse:x", "422 topic"},
	{"topic=a&topics=b", "422 topics"},
	{"topics=a&topic=b", "422 topics"},
	{"topic=a&event=x&event=y", "422 event"},
	{"topic=a&event=", "422 event"},
	{"topic=a&event=x%0Adata:y", "422 event"},
	{"topic=a&event[]=x", "422 event"},
	{"topic=a&data=1&data=2", "422 data"},
	{"topic=a&data[id]=1", "422 data"},
	{"topic=a&data%5Bid%5D=1", "422 data"},
	{"topic=a&key[]=1", "422 key"},
	{"topic=a&idempotency_key=", "422 idempotency_key"},
	{"topic=a&data=%", "400 -"},
	{"topic=a&data=%4", "400 -"},
	{"topic=a&data=%zz", "400 -"},
	{"topic=a&%zz=1", "400 -"},
	{"topic=a&data=%FC", "400 data"},
	{"topic=a&data=\xfc", "400 data"},
	{"topic=%C0%AF", "400 topic"},
};

START_TEST(forms_are_read_or_their_fault_is_named)
{
	for (size_t i = 0; i < COUNT_OF(form_cases); i++)
		check(FORM, form_cases[i].body, form_cases[i].expected);
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

START_TEST(content_types_are_told_apart)
{
	static const struct {
		const char *type;
		int form, charset; /* -1: 415 */
	} cases[] = {
		{"application/json", 0, DECODE_UTF8},
		{"Application/JSON;charset=utf-8", 0, DECODE_UTF8},
		{"application/json ; charset=iso-8859-1", 0, DECODE_UTF8},
		{"application/x-www-form-urlencoded", 1, DECODE_UTF8},
		{" application/X-WWW-Form-Urlencoded ", 1, DECODE_UTF8},
		{FORM ";charset=UTF-8", 1, DECODE_UTF8},
		{FORM "; Charset=\"ISO-8859-1\"", 1, DECODE_LATIN1},
		{FORM "; a=b; charset=latin1; c", 1, DECODE_LATIN1},
		{FORM "; charset=Windows-1252", 1, DECODE_WINDOWS1252},
		{FORM ";", 1, DECODE_UTF8},
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

START_TEST(old_charsets_become_utf8)
{
	check(FORM ";charset=iso-8859-1", "topic=a&event=\xe9t\xe9&data=M%FCller+\xa4%80",
	      "\xc3\xa9t\xc3\xa9 \"M\xc3\xbcller \xc2\xa4\xc2\x80\" -> a");
	check(FORM ";charset=windows-1252", "topic=a&data=%80+%8E%93\xff",
	      "message \"\xe2\x82\xac \xc5\xbd\xe2\x80\x9c\xc3\xbf\" -> a");
	check(FORM ";charset=windows-1252", "topic=a&data=%00", "message \"\\u0000\" -> a");
	check(FORM ";charset=iso-8859-1", "topic=a&data={\"a\":\"\xfc\"}",
	      "message {\"a\":\"\xc3\xbc\"} -> a");
}
END_TEST

START_TEST(the_five_bytes_that_windows_1252_lacks_are_refused)
{
	for (unsigned byte = 0x01; byte <= 0xff; byte++) {
		bool lacking = byte == 0x81 || byte == 0x8d || byte == 0x8f || byte == 0x90 ||
			       byte == 0x9d;
		char body[64], text[TEXT_BYTES];

		snprintf(body, sizeof(body), "topic=a&data=%%%02X", byte);
		int rc = decode(FORM ";charset=windows-1252", body, strlen(body), text, NULL);
		ck_assert_msg(rc == (lacking ? -1 : 0), "%s: %s", body, text);
		ck_assert(!lacking || strcmp(text, "400 data") == 0);
	}
}
END_TEST

/* A body made of a head, n times a middle with its number, and a tail. */
static char *many(const char *head, const char *middle, int n, const char *tail)
{
	size_t size = strlen(head) + (strlen(middle) + 12) * (size_t)n + strlen(tail) + 1;
	char *body = malloc(size), *at = body;

	ck_assert_ptr_nonnull(body);
	at += snprintf(at, size, "%s", head);
	for (int i = 0; i < n; i++)
		at += snprintf(at, size - (size_t)(at - body), "%s%s%d\"", i ? "," : "", middle, i);
	snprintf(at, size - (size_t)(at - body), "%s", tail);
	return body;
}

START_TEST(numbers_of_events_and_topics_are_bounded)
{
	char text[TEXT_BYTES];
	char *body = many("{\"topics\":[", "\"t", DECODE_MAX_TOPICS, "]}");

	ck_assert_int_eq(decode(JSON, body, strlen(body), text, NULL), 0);
	free(body);
	body = many("{\"topics\":[", "\"t", DECODE_MAX_TOPICS + 1, "]}");
	ck_assert_int_eq(decode(JSON, body, strlen(body), text, NULL), -1);
	ck_assert_str_eq(text, "422 topics");
	free(body);

	char *event = many("{\"topics\":[", "\"t", DECODE_MAX_COPIES / 10, "]}");
	size_t len = strlen(event);
	char *all = malloc(12 * (len + 1) + 3), *at = all;
	for (int i = 0; i < 10; i++) {
		*at++ = i ? ',' : '[';
		memcpy(at, event, len);
		at += len;
	}
	memcpy(at, "]", 2);
	ck_assert_int_eq(decode(JSON, all, strlen(all), text, NULL), 0);
	memcpy(at, ",{\"topic\":\"x\"}]", 16);
	ck_assert_int_eq(decode(JSON, all, strlen(all), text, NULL), -1);
	ck_assert_str_eq(text, "422 events[10].topic");
	free(event);
	free(all);
}
END_TEST

START_TEST(a_batch_has_at_most_a_thousand_events)
{
	for (int n = DECODE_MAX_EVENTS - 1; n <= DECODE_MAX_EVENTS + 1; n++) {
		struct decode_media media = {0};
		struct publication p;
		struct response r;
		char *body = malloc((size_t)n * 20), *at = body;

		for (int i = 0; i < n; i++)
			at += snprintf(at, 20, "%c{\"topic\":\"t\"}", i ? ',' : '[');
		*at++ = ']';
		response_init(&r);
		int rc = decode_body((struct span){body, (size_t)(at - body)}, &media, MAX_MESSAGE,
				     &p, &r);
		ck_assert_int_eq(rc, n <= DECODE_MAX_EVENTS ? 0 : -1);
		ck_assert_uint_eq(rc == 0 ? p.n_events : 422, rc == 0 ? (size_t)n : r.status);
		publication_done(&p);
		response_done(&r);
		free(body);
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

START_TEST(form_text_beyond_a_message_is_refused_before_it_is_built)
{
	char *body = malloc(200000), text[TEXT_BYTES];

	memcpy(body, "topic=a&data=", 13);
	memset(body + 13, 1, 199987);
	ck_assert_int_eq(decode(FORM, body, 200000, text, NULL), -1);
	ck_assert_str_eq(text, "413 data");
	free(body);
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

RUN_TESTS("decode", json_bodies_are_read_or_their_fault_is_named,
	  forms_are_read_or_their_fault_is_named, the_cure_is_said_where_one_is_known,
	  content_types_are_told_apart, old_charsets_become_utf8,
	  the_five_bytes_that_windows_1252_lacks_are_refused,
	  numbers_of_events_and_topics_are_bounded, a_batch_has_at_most_a_thousand_events,
	  lengths_of_names_and_keys_are_bounded,
	  every_payload_of_the_table_is_decoded_or_refused_as_it_says,
	  form_text_beyond_a_message_is_refused_before_it_is_built,
	  every_prefix_of_a_body_is_read_safely)
