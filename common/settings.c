/* settings: see settings.h. Holds the values in effect, each as text, as what its type makes of it,
 * and with its origin; lets only values in that their row allows. Reading file, environment and
 * --set is settings_read.c, what the rows say is settings_table.c, what a program demands as a
 * whole is settings_check.c. */
#include "common/settings.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "common/num.h"
#include "common/redis_url.h"
#include "common/settings_store.h"
#include "common/settings_table.h"

#define ITEM_MAX_BYTES 1023
#define SHOWN_BYTES    240 /* of a value in an error line */

struct value {
	char *text; /* NULL: not set, and there is no default */
	char *origin;
	uint64_t number;
	unsigned word;
	bool is_auto;
};

struct settings {
	struct value values[SET_COUNT];
};

/* ---- small helpers ---- */

int settings_error(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, SETTINGS_ERROR_BYTES, format, args);
	va_end(args);
	return -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct span settings_trim(struct span text)
{
	while (text.len > 0 && is_blank(text.at[0]))
		text = (struct span){text.at + 1, text.len - 1};
	while (text.len > 0 && is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

const char *settings_variable(enum setting name, char *out)
{
	snprintf(out, SETTINGS_VARIABLE_BYTES, "SSE_%s", settings_table[name].name);
	for (char *at = out; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	return out;
}

/* Next item of a list that is not empty; false at the end. */
static bool next_item(struct span *list, struct span *item)
{
	while (list->len > 0) {
		const char *comma = memchr(list->at, ',', list->len);
		size_t len = comma ? (size_t)(comma - list->at) : list->len;

		*item = settings_trim((struct span){list->at, len});
		len += comma != NULL;
		*list = (struct span){list->at + len, list->len - len};
		if (item->len > 0)
			return true;
	}
	return false;
}

/* ---- checking one value ---- */

static const char *check_number(const struct setting_row *row, const char *text, struct value *v)
{
	v->is_auto = row->with_auto && strcasecmp(text, "auto") == 0;
	if (v->is_auto)
		return NULL;
	if (row->zero && num_parse_u64(text, strlen(text), 0, 0, &v->number) == 0)
		return NULL;
	return num_parse_u64(text, strlen(text), row->min, row->max, &v->number) < 0 ? "" : NULL;
}

/* Words that people bring along from elsewhere. */
static const char *known_alias(enum setting name, const char *text)
{
	if (name == SET_LOG_LEVEL && strcasecmp(text, "warning") == 0)
		return "warn";
	if (name == SET_LOG_LEVEL && strcasecmp(text, "critical") == 0)
		return "error";
	return text;
}

static const char *check_word(const struct setting_row *row, const char *text, struct value *v)
{
	for (unsigned i = 0; i < SETTING_MAX_WORDS && row->words[i]; i++) {
		if (strcasecmp(row->words[i], text) == 0) {
			v->word = i;
			return NULL;
		}
	}
	return "";
}

static const char *check_words(const struct setting_row *row, const char *text, struct value *v)
{
	struct span list = span_of(text), item;
	unsigned bits = 0;

	while (next_item(&list, &item)) {
		unsigned i = 0;

		while (i < SETTING_MAX_WORDS && row->words[i] &&
		       (strlen(row->words[i]) != item.len ||
			strncasecmp(row->words[i], item.at, item.len) != 0))
			i++;
		if (i == SETTING_MAX_WORDS || !row->words[i])
			return "";
		bits |= 1u << i;
	}
	v->word = bits;
	return bits ? NULL : "it is empty";
}

static const char *check_list(const struct setting_row *row, const char *text)
{
	struct span list = span_of(text), item;
	char copy[ITEM_MAX_BYTES + 1];
	bool any = false;

	while (next_item(&list, &item)) {
		if (item.len > ITEM_MAX_BYTES)
			return "an item is longer than 1023 bytes";
		memcpy(copy, item.at, item.len);
		copy[item.len] = '\0';
		const char *why = row->form(copy);
		if (why)
			return why;
		any = true;
	}
	return row->required && !any ? "it is empty" : NULL;
}

static const char *check_text(const struct setting_row *row, const char *text)
{
	if (row->required && *text == '\0')
		return "it is empty";
	return row->form(text);
}

/* Returns NULL, or what is wrong ("": nothing but that it is not among what is allowed). */
static const char *check_value(const struct setting_row *row, const char *text, struct value *v)
{
	for (const char *at = text; *at; at++) {
		if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
			return "it holds a control character";
	}
	switch (row->type) {
	case SETTING_NUMBER: return check_number(row, text, v);
	case SETTING_WORD: return check_word(row, text, v);
	case SETTING_WORDS: return check_words(row, text, v);
	case SETTING_LIST: return check_list(row, text);
	case SETTING_TEXT: break;
	}
	return check_text(row, text);
}

/* value as it may be shown: quoted, cut, and without a password. */
static void show_value(const struct setting_row *row, struct span value, char *out, size_t size)
{
	char *copy = strndup(value.at, value.len);
	bool secret = row->secret || (copy && strstr(copy, "://"));
	char *masked = copy && secret ? redis_url_masked(copy) : NULL;

	if (masked || (copy && !secret))
		log_quote(masked ? masked : copy, strlen(masked ? masked : copy), out, size);
	else
		log_quote("***", 3, out, size);
	free(masked);
	free(copy);
}

static int refuse(char *error, const struct setting_row *row, struct span value, const char *origin,
		  const char *why)
{
	char shown[SHOWN_BYTES];

	show_value(row, value, shown, sizeof(shown));
	return settings_error(error, "%s = %s (%.300s): %s%sallowed is %s", row->name, shown,
			      origin, why, *why ? "; " : "", row->allowed);
}

/* ---- storing ---- */

enum setting settings_find(struct span name)
{
	for (enum setting i = 0; i < SET_COUNT; i++) {
		if (span_is(name, settings_table[i].name))
			return i;
	}
	return SET_COUNT;
}

int settings_store(struct settings *s, enum setting name, struct span raw, const char *origin,
		   char *error)
{
	const struct setting_row *row = &settings_table[name];
	struct span value = settings_trim(raw);
	struct value v = {0};

	if (value.len > 0 && memchr(value.at, '\0', value.len))
		return refuse(error, row, value, origin, "it holds a NUL");
	v.text = strndup(value.len ? value.at : "", value.len);
	v.origin = strdup(origin);
	if (!v.text || !v.origin) {
		free(v.text);
		free(v.origin);
		return settings_error(error, "%s (%.300s): out of memory", row->name, origin);
	}

	const char *why = check_value(row, known_alias(name, v.text), &v);
	if (why) {
		free(v.text);
		free(v.origin);
		return refuse(error, row, value, origin, why);
	}
	free(s->values[name].text);
	free(s->values[name].origin);
	s->values[name] = v;
	return 0;
}

struct settings *settings_new(void)
{
	char error[SETTINGS_ERROR_BYTES];
	struct settings *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	for (enum setting i = 0; i < SET_COUNT; i++) {
		struct span initial = span_of(settings_table[i].initial);

		if (initial.at && settings_store(s, i, initial, "default", error) < 0) {
			settings_free(s);
			return NULL;
		}
	}
	return s;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	for (enum setting i = 0; i < SET_COUNT; i++) {
		if (s->values[i].text && settings_table[i].secret)
			explicit_bzero(s->values[i].text, strlen(s->values[i].text));
		free(s->values[i].text);
		free(s->values[i].origin);
	}
	free(s);
}

/* ---- reading values ---- */

static const struct value *value_of(const struct settings *s, enum setting name,
				    enum setting_type type)
{
	assert(settings_table[name].type == type);
	return &s->values[name];
}

uint64_t settings_number(const struct settings *s, enum setting name)
{
	return value_of(s, name, SETTING_NUMBER)->number;
}

const char *settings_text(const struct settings *s, enum setting name)
{
	const char *text = s->values[name].text;

	return text ? text : "";
}

unsigned settings_word(const struct settings *s, enum setting name)
{
	return value_of(s, name, SETTING_WORD)->word;
}

unsigned settings_words(const struct settings *s, enum setting name)
{
	return value_of(s, name, SETTING_WORDS)->word;
}

bool settings_is_auto(const struct settings *s, enum setting name)
{
	return value_of(s, name, SETTING_NUMBER)->is_auto;
}

size_t settings_list_count(const struct settings *s, enum setting name)
{
	struct span list = span_of(value_of(s, name, SETTING_LIST)->text), item;
	size_t n = 0;

	while (next_item(&list, &item))
		n++;
	return n;
}

int settings_list_item(const struct settings *s, enum setting name, size_t i, char *out,
		       size_t size)
{
	struct span list = span_of(value_of(s, name, SETTING_LIST)->text), item;

	for (size_t n = 0; next_item(&list, &item); n++) {
		if (n < i)
			continue;
		if (item.len >= size)
			return -1;
		memcpy(out, item.at, item.len);
		out[item.len] = '\0';
		return (int)item.len;
	}
	return -1;
}

const char *settings_origin(const struct settings *s, enum setting name)
{
	return s->values[name].origin ? s->values[name].origin : "not set";
}

void settings_print(const struct settings *s, FILE *out)
{
	for (enum setting i = 0; i < SET_COUNT; i++) {
		const struct setting_row *row = &settings_table[i];
		const char *text = settings_text(s, i);
		char *masked = row->secret ? redis_url_masked(text) : NULL;

		if (row->secret)
			text = masked ? masked : "***";
		fprintf(out, "%s = %s%s# %s\n", row->name, text, *text ? "  " : "",
			settings_origin(s, i));
		free(masked);
	}
}

/* ---- about the table ---- */

const char *settings_name(enum setting name)
{
	return settings_table[name].name;
}

const char *settings_help(enum setting name)
{
	return settings_table[name].help;
}

const char *settings_allowed(enum setting name)
{
	return settings_table[name].allowed;
}

const char *settings_default(enum setting name)
{
	const char *initial = settings_table[name].initial;

	return initial ? initial : "";
}
