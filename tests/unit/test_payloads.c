/* test_payloads: what goes in comes out. The table of payloads through jsonspan and event, from
 * what was published to what a listener hears; publish and the streamer's frames have tests of
 * their own over the same table. */
#include "common/event.h"
#include "common/jsonspan.h"
#include "common/utf8.h"
#include "tests/unit/payloads.h"
#include "tests/unit/run.h"

enum { MAX_MESSAGE_SIZE = 65536, MAX_BYTES = 1 << 20 };

/* The status that publish answers when `data` itself is at fault; 0 when it is fine. */
static int judge(const struct payload *row)
{
	if (row->missing)
		return 0;
	if (row->form)
		return utf8_valid(row->published.data, row->published.len) ? 0 : 400;
	switch (jsonspan_check(row->published.data, row->published.len, EVENT_DATA_DEPTH, NULL)) {
	case JSONSPAN_OK: return 0;
	case JSONSPAN_SYNTAX:
	case JSONSPAN_UTF8: return 400;
	default: return 422;
	}
}

/* The JSON value that travels for a payload. */
static void carry(const struct payload *row, struct buf *out)
{
	const struct buf *p = &row->published;
	int rc;

	if (row->missing)
		rc = buf_append_str(out, "{}");
	else if (row->form && !row->object)
		rc = jsonspan_append_string(out, p->data, p->len);
	else
		rc = buf_append(out, p->data, p->len);
	ck_assert_int_eq(rc, 0);
}

/* The whole message, and the size that it is measured to have. */
static size_t encode(const struct payload *row, struct buf *message)
{
	static const struct span topic = {"t", 1};
	struct event event = {.name = span_of("message"), .topics = &topic, .n_topics = 1};
	struct event_parts parts;
	struct buf data, encoded;
	size_t size;

	buf_init(&data, MAX_BYTES);
	buf_init(&encoded, MAX_BYTES);
	carry(row, &data);
	event.data = (struct span){data.data, data.len};
	ck_assert_int_eq(event_encode(&event, &encoded, &parts), 0);
	size = event_message_bytes(&parts);
	ck_assert_int_eq(buf_printf(message, "%.*s1764000000000-0%.*s0-0%.*s", (int)parts.head.len,
				    parts.head.at, (int)parts.middle.len, parts.middle.at,
				    (int)parts.tail.len, parts.tail.at),
			 0);
	buf_done(&data);
	buf_done(&encoded);
	return size;
}

/* Line breaks as a listener hears them: CRLF and CR are LF. */
static void unify_line_breaks(struct buf *text)
{
	size_t len = 0;

	for (size_t i = 0; i < text->len; i++) {
		if (text->data[i] == '\r' && i + 1 < text->len && text->data[i + 1] == '\n')
			continue;
		text->data[len++] = text->data[i] == '\r' ? '\n' : text->data[i];
	}
	text->len = len;
}

START_TEST(table_is_rich_and_every_row_counts_once)
{
	struct payload_table table;
	size_t refused = 0, forms = 0;

	payload_table_load(&table);
	for (size_t i = 0; i < table.n; i++) {
		refused += table.rows[i].refused != 0;
		forms += table.rows[i].form;
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(table.rows[i].name, table.rows[k].name);
	}
	ck_assert_uint_ge(table.n - refused, 60);
	ck_assert_uint_ge(refused, 20);
	ck_assert_uint_ge(forms, 20);
	payload_table_done(&table);
}
END_TEST

START_TEST(payloads_are_accepted_or_refused_as_the_table_says)
{
	struct payload_table table;

	payload_table_load(&table);
	for (size_t i = 0; i < table.n; i++) {
		const struct payload *row = &table.rows[i];
		int status = judge(row);

		if (status == 0) {
			struct buf message;

			buf_init(&message, MAX_BYTES);
			status = encode(row, &message) > MAX_MESSAGE_SIZE ? 413 : 0;
			buf_done(&message);
		}
		ck_assert_msg(status == row->refused, "%s: %d", row->name, status);
	}
	payload_table_done(&table);
}
END_TEST

START_TEST(form_text_travels_as_an_object_exactly_where_it_is_one)
{
	struct payload_table table;

	payload_table_load(&table);
	for (size_t i = 0; i < table.n; i++) {
		const struct payload *row = &table.rows[i];
		const struct buf *p = &row->published;
		bool object;

		if (!row->form || row->refused)
			continue;
		object = p->len > 0 && p->data[0] == '{' && p->data[p->len - 1] == '}' &&
			 jsonspan_check(p->data, p->len, EVENT_DATA_DEPTH, NULL) == JSONSPAN_OK;
		ck_assert_msg(object == row->object, "%s", row->name);
	}
	payload_table_done(&table);
}
END_TEST

static void assert_delivered(const struct payload *row)
{
	struct event_message m;
	struct buf message, text;

	buf_init(&message, MAX_BYTES);
	buf_init(&text, MAX_BYTES);
	encode(row, &message);
	ck_assert_msg(event_decode(message.data, message.len, &m) == EVENT_OK, "%s", row->name);
	ck_assert_msg(m.ours, "%s", row->name);
	ck_assert_int_eq(event_data_text(m.data, &text), 0);
	unify_line_breaks(&text);
	ck_assert_msg(text.len == row->delivered.len, "%s: %zu bytes", row->name, text.len);
	ck_assert_msg(memcmp(text.data, row->delivered.data, text.len) == 0, "%s: %s", row->name,
		      text.data);
	event_message_done(&m);
	buf_done(&message);
	buf_done(&text);
}

START_TEST(what_goes_in_comes_out)
{
	struct payload_table table;

	payload_table_load(&table);
	for (size_t i = 0; i < table.n; i++) {
		if (table.rows[i].refused == 0)
			assert_delivered(&table.rows[i]);
	}
	payload_table_done(&table);
}
END_TEST

START_TEST(refused_json_is_not_read_from_redis_either)
{
	struct payload_table table;

	payload_table_load(&table);
	for (size_t i = 0; i < table.n; i++) {
		const struct payload *row = &table.rows[i];
		struct event_message m;
		struct buf message;

		if (row->form || row->refused == 0 || row->refused == 413)
			continue;
		buf_init(&message, MAX_BYTES);
		ck_assert_int_eq(buf_append_str(&message, "{\"event\":\"x\",\"data\":"), 0);
		ck_assert_int_eq(buf_append(&message, row->published.data, row->published.len), 0);
		ck_assert_int_eq(buf_append_char(&message, '}'), 0);
		ck_assert_msg(event_decode(message.data, message.len, &m) == EVENT_NOT_JSON, "%s",
			      row->name);
		buf_done(&message);
	}
	payload_table_done(&table);
}
END_TEST

RUN_TESTS("payloads", table_is_rich_and_every_row_counts_once,
	  payloads_are_accepted_or_refused_as_the_table_says,
	  form_text_travels_as_an_object_exactly_where_it_is_one, what_goes_in_comes_out,
	  refused_json_is_not_read_from_redis_either)
