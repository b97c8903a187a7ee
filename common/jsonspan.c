/* jsonspan: JSON as bytes. Checks a text against RFC 8259 in one pass with a bit of memory for each
 * open bracket, then walks what was checked as views. Owns nothing and builds nothing.
 * Strings are read and written in jsonspan_string.c; what a member means is its caller's affair. */
#include "common/jsonspan.h"

#include <stdint.h>

#include "common/jsonspan_escape.h"
#include "common/utf8.h"

/* What may stand next. */
enum want {
	WANT_VALUE,
	WANT_VALUE_OR_CLOSE,
	WANT_NAME,
	WANT_NAME_OR_CLOSE,
	WANT_COMMA_OR_CLOSE,
	WANT_NOTHING,
};

struct checker {
	const char *at, *end;
	enum want want;
	unsigned depth, max_depth;
	enum jsonspan_status rule; /* the first rule broken by text that can be read */
	const char *rule_at;
	uint64_t objects[JSONSPAN_DEPTH_LIMIT / 64]; /* bit d: the bracket open at depth d is a { */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && is_space(*at))
		at++;
	return at;
}

/* ---- checking ---- */

static void break_rule(struct checker *c, enum jsonspan_status rule)
{
	if (c->rule != JSONSPAN_OK)
		return;
	c->rule = rule;
	c->rule_at = c->at;
}

static enum jsonspan_status check_unicode_escape(struct checker *c)
{
	long unit = jsonspan_unicode_escape(c->at, c->end);

	if (unit < 0)
		return JSONSPAN_SYNTAX;
	if (jsonspan_is_high_surrogate(unit) &&
	    jsonspan_is_low_surrogate(jsonspan_unicode_escape(c->at + 6, c->end))) {
		c->at += 12;
		return JSONSPAN_OK;
	}
	if (jsonspan_is_high_surrogate(unit) || jsonspan_is_low_surrogate(unit))
		break_rule(c, JSONSPAN_SURROGATE);
	c->at += 6;
	return JSONSPAN_OK;
}

static enum jsonspan_status check_escape(struct checker *c)
{
	if (c->end - c->at < 2)
		return JSONSPAN_SYNTAX;
	switch (c->at[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': c->at += 2; return JSONSPAN_OK;
	case 'u': return check_unicode_escape(c);
	default: return JSONSPAN_SYNTAX;
	}
}

/* One character of a string that is not plain ASCII. */
static enum jsonspan_status check_special(struct checker *c)
{
	size_t step;

	if (*c->at == '\\')
		return check_escape(c);
	if ((unsigned char)*c->at < 0x20)
		return JSONSPAN_SYNTAX;
	step = utf8_sequence(c->at, (size_t)(c->end - c->at));
	c->at += step;
	return step > 0 ? JSONSPAN_OK : JSONSPAN_UTF8;
}

static enum jsonspan_status check_string(struct checker *c)
{
	for (c->at++; c->at < c->end;) {
		unsigned char byte = (unsigned char)*c->at;
		enum jsonspan_status status;

		if (byte == '"') {
			c->at++;
			return JSONSPAN_OK;
		}
		if (byte >= 0x20 && byte < 0x80 && byte != '\\') {
			c->at++;
			continue;
		}
		status = check_special(c);
		if (status != JSONSPAN_OK)
			return status;
	}
	return JSONSPAN_SYNTAX;
}

/* Passes over digits; false when there is none. */
static bool check_digits(struct checker *c)
{
	const char *start = c->at;

	while (c->at < c->end && is_digit(*c->at))
		c->at++;
	return c->at > start;
}

static enum jsonspan_status check_number(struct checker *c)
{
	if (*c->at == '-')
		c->at++;
	if (c->at < c->end && *c->at == '0')
		c->at++;
	else if (!check_digits(c))
		return JSONSPAN_SYNTAX;
	if (c->at < c->end && *c->at == '.') {
		c->at++;
		if (!check_digits(c))
			return JSONSPAN_SYNTAX;
	}
	if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
		c->at++;
		if (c->at < c->end && (*c->at == '+' || *c->at == '-'))
			c->at++;
		if (!check_digits(c))
			return JSONSPAN_SYNTAX;
	}
	return JSONSPAN_OK;
}

static enum jsonspan_status check_word(struct checker *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
		return JSONSPAN_SYNTAX;
	c->at += len;
	return JSONSPAN_OK;
}

static void after_value(struct checker *c)
{
	c->want = c->depth > 0 ? WANT_COMMA_OR_CLOSE : WANT_NOTHING;
}

static bool in_object(const struct checker *c)
{
	return c->objects[(c->depth - 1) / 64] >> ((c->depth - 1) % 64) & 1;
}

static enum jsonspan_status check_open(struct checker *c, bool object)
{
	uint64_t bit;

	if (c->depth == c->max_depth)
		break_rule(c, JSONSPAN_DEPTH);
	if (c->depth == JSONSPAN_DEPTH_LIMIT)
		return JSONSPAN_DEPTH;
	bit = UINT64_C(1) << (c->depth % 64);
	if (object)
		c->objects[c->depth / 64] |= bit;
	else
		c->objects[c->depth / 64] &= ~bit;
	c->depth++;
	c->at++;
	c->want = object ? WANT_NAME_OR_CLOSE : WANT_VALUE_OR_CLOSE;
	return JSONSPAN_OK;
}

static enum jsonspan_status check_close(struct checker *c)
{
	if (*c->at != (in_object(c) ? '}' : ']'))
		return JSONSPAN_SYNTAX;
	c->at++;
	c->depth--;
	after_value(c);
	return JSONSPAN_OK;
}

static enum jsonspan_status check_value(struct checker *c)
{
	enum jsonspan_status status;

	switch (*c->at) {
	case '{': return check_open(c, true);
	case '[': return check_open(c, false);
	case '"': status = check_string(c); break;
	case 't': status = check_word(c, "true"); break;
	case 'f': status = check_word(c, "false"); break;
	case 'n': status = check_word(c, "null"); break;
	default: status = check_number(c); break;
	}
	after_value(c);
	return status;
}

/* A member's name and the colon behind it. */
static enum jsonspan_status check_name(struct checker *c)
{
	enum jsonspan_status status;

	if (*c->at != '"')
		return JSONSPAN_SYNTAX;
	status = check_string(c);
	if (status != JSONSPAN_OK)
		return status;
	c->at = skip_space(c->at, c->end);
	if (c->at == c->end || *c->at != ':')
		return JSONSPAN_SYNTAX;
	c->at++;
	c->want = WANT_VALUE;
	return JSONSPAN_OK;
}

static enum jsonspan_status check_comma_or_close(struct checker *c)
{
	if (*c->at != ',')
		return check_close(c);
	c->at++;
	c->want = in_object(c) ? WANT_NAME : WANT_VALUE;
	return JSONSPAN_OK;
}

static enum jsonspan_status check_token(struct checker *c)
{
	switch (c->want) {
	case WANT_VALUE: return check_value(c);
	case WANT_VALUE_OR_CLOSE: return *c->at == ']' ? check_close(c) : check_value(c);
	case WANT_NAME: return check_name(c);
	case WANT_NAME_OR_CLOSE: return *c->at == '}' ? check_close(c) : check_name(c);
	case WANT_COMMA_OR_CLOSE: return check_comma_or_close(c);
	case WANT_NOTHING: break;
	}
	return JSONSPAN_SYNTAX;
}

static enum jsonspan_status check_text(struct checker *c)
{
	enum jsonspan_status status = JSONSPAN_OK;

	while (status == JSONSPAN_OK) {
		c->at = skip_space(c->at, c->end);
		if (c->at == c->end)
			return c->want == WANT_NOTHING ? JSONSPAN_OK : JSONSPAN_SYNTAX;
		status = check_token(c);
	}
	return status;
}

enum jsonspan_status jsonspan_check(const char *text, size_t len, unsigned max_depth, size_t *at)
{
	struct checker c;
	enum jsonspan_status status;

	if (len == 0)
		text = "";
	c.at = text;
	c.end = text + len;
	c.want = WANT_VALUE;
	c.depth = 0;
	c.max_depth = max_depth;
	c.rule = JSONSPAN_OK;
	c.rule_at = text;
	status = check_text(&c);
	if (status == JSONSPAN_OK) {
		status = c.rule;
		c.at = c.rule_at;
	}
	if (status != JSONSPAN_OK && at)
		*at = (size_t)(c.at - text);
	return status;
}

/* ---- walking what was checked ---- */

struct span jsonspan_trim(const char *text, size_t len)
{
	const char *end = text + len, *start = skip_space(text, end);

	while (end > start && is_space(end[-1]))
		end--;
	return (struct span){start, (size_t)(end - start)};
}

/* Whether what stands at `quote` is escaped: by an odd number of backslashes since `start`. */
static bool is_escaped(const char *start, const char *quote)
{
	const char *at = quote;

	while (at > start && at[-1] == '\\')
		at--;
	return (quote - at) % 2 == 1;
}

static const char *skip_string(const char *at, const char *end)
{
	for (const char *start = at + 1; start < end; start = at + 1) {
		at = memchr(start, '"', (size_t)(end - start));
		if (!at)
			return end;
		if (!is_escaped(start, at))
			return at + 1;
	}
	return end;
}

static const char *skip_container(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		char c = *at;

		if (c == '"') {
			at = skip_string(at, end);
			continue;
		}
		at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	return at;
}

static const char *skip_value(const char *at, const char *end)
{
	if (*at == '"')
		return skip_string(at, end);
	if (*at == '{' || *at == '[')
		return skip_container(at, end);
	while (at < end && *at != ',' && !is_space(*at))
		at++;
	return at;
}

bool jsonspan_walk(struct jsonspan_walk *w, struct span value)
{
	if (value.len < 2 || (value.at[0] != '{' && value.at[0] != '['))
		return false;
	*w = (struct jsonspan_walk){
		.at = value.at + 1,
		.end = value.at + value.len - 1,
		.object = value.at[0] == '{',
		.first = true,
	};
	return true;
}

enum jsonspan_status jsonspan_next(struct jsonspan_walk *w, struct span *name, struct span *value)
{
	const char *at = skip_space(w->at, w->end), *start;

	if (at < w->end && !w->first)
		at = skip_space(at + 1, w->end); /* the comma */
	if (at >= w->end)
		return JSONSPAN_END;
	if (w->object) {
		start = at;
		at = skip_string(at, w->end);
		*name = (struct span){start, (size_t)(at - start)};
		at = skip_space(at, w->end);
		at = skip_space(at + 1, w->end); /* the colon */
	}
	start = at;
	at = skip_value(at, w->end);
	*value = (struct span){start, (size_t)(at - start)};
	w->at = at;
	w->first = false;
	return JSONSPAN_OK;
}
