/* payloads: the C reader of tests/payloads.json, by json-c: the table must not be judged by the
 * code under test. */
#include "tests/unit/payloads.h"

#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAYLOADS_MAX_BYTES = 1 << 20 };

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

static void append_hex(const char *hex, struct buf *out)
{
	for (; hex[0] && hex[1]; hex += 2) {
		char pair[3] = {hex[0], hex[1], '\0'}, *end;

		ck_assert_int_eq(buf_append_char(out, (char)strtoul(pair, &end, 16)), 0);
		ck_assert_msg(*end == '\0', "not hexadecimal: %s", hex);
	}
}

static void append_bytes(struct json_object *form, struct buf *out);

static void append_repeated(struct json_object *form, struct buf *out)
{
	struct json_object *repeat = member(form, "repeat");
	struct buf once;

	ck_assert_ptr_nonnull(repeat);
	buf_init(&once, PAYLOADS_MAX_BYTES);
	append_bytes(repeat, &once);
	for (int i = json_object_get_int(member(form, "times")); i > 0; i--)
		ck_assert_int_eq(buf_append(out, once.data, once.len), 0);
	buf_done(&once);
}

static void append_bytes(struct json_object *form, struct buf *out)
{
	switch (json_object_get_type(form)) {
	case json_type_string:
		ck_assert_int_eq(buf_append(out, json_object_get_string(form),
					    (size_t)json_object_get_string_len(form)),
				 0);
		break;
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(form); i++)
			append_bytes(json_object_array_get_idx(form, i), out);
		break;
	case json_type_object:
		if (member(form, "hex"))
			append_hex(json_object_get_string(member(form, "hex")), out);
		else
			append_repeated(form, out);
		break;
	default: ck_abort_msg("not bytes: %s", json_object_to_json_string(form));
	}
}

static void read_row(struct json_object *from, struct payload *row)
{
	const char *as = json_object_get_string(member(from, "as"));

	row->name = strdup(json_object_get_string(member(from, "name")));
	ck_assert_ptr_nonnull(row->name);
	row->form = strcmp(as, "form") == 0;
	ck_assert_msg(row->form || strcmp(as, "json") == 0, "%s: as %s?", row->name, as);
	row->object = json_object_get_boolean(member(from, "object"));
	row->refused = json_object_get_int(member(from, "refused"));
	row->missing = member(from, "published") == NULL;
	buf_init(&row->published, PAYLOADS_MAX_BYTES);
	buf_init(&row->delivered, PAYLOADS_MAX_BYTES);
	if (!row->missing)
		append_bytes(member(from, "published"), &row->published);
	if (row->refused == 0)
		append_bytes(member(from, "delivered"), &row->delivered);
}

void payload_table_load(struct payload_table *table)
{
	const char *top = getenv("top_srcdir");
	char path[4096];
	struct json_object *all;

	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/tests/payloads.json", top ? top : "."),
			 (int)sizeof(path));
	all = json_object_from_file(path);
	ck_assert_msg(all != NULL, "%s: %s", path, json_util_get_last_err());
	table->n = json_object_array_length(all);
	table->rows = calloc(table->n, sizeof(*table->rows));
	ck_assert_ptr_nonnull(table->rows);
	for (size_t i = 0; i < table->n; i++)
		read_row(json_object_array_get_idx(all, i), &table->rows[i]);
	json_object_put(all);
}

void payload_table_done(struct payload_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		free(table->rows[i].name);
		buf_done(&table->rows[i].published);
		buf_done(&table->rows[i].delivered);
	}
	free(table->rows);
}
