/* decode_control: see decode_control.h. A form is written out as the JSON that it stands for, so
 * that there is one reader, and one set of rules. Here, other than among events, a field that means
 * nothing is an error: it might have been to narrow whom the message means. */
#include "publisher/decode_control.h"

#include <stdbool.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/control.h"
#include "common/jsonspan.h"
#include "common/num.h"
#include "common/urlenc.h"
#include "common/utf8.h"
#include "publisher/decode.h"
#include "publisher/response.h"

#define FIELD_BYTES 64
#define JSON_BYTES  ((size_t)8 * CONTROL_MAX_BYTES) /* every byte of a form escaped, and more */

static int refuse(struct response *r, unsigned status, const char *field, const char *why)
{
	response_error(r, status, field, "%s", why);
	return -1;
}

/* ---- JSON ---- */

static int refuse_rule(const struct control_error *error, struct response *r)
{
	char field[FIELD_BYTES];

	snprintf(field, sizeof(field), "%s%s%s", error->verb ? error->verb : "",
		 error->verb && error->field ? "." : "", error->field ? error->field : "");
	return refuse(r, 422, *field ? field : NULL, error->why);
}

static int read_json(struct span json, struct control *out, struct response *r)
{
	struct control_error error;

	if (control_parse(json, out, &error) != 0)
		return error.unreadable ? refuse(r, 400, NULL, error.why) : refuse_rule(&error, r);
	if (out->id_len > 0)
		return refuse(r, 422, "id", "the id is given here: leave it out");
	return 0;
}

/* ---- a form ---- */

struct form {
	enum charset charset;
	struct buf json;
	char verb[FIELD_BYTES]; /* of all fields */
	size_t verb_len;        /* 0: there was no field yet */
	struct response *r;
};

static int out_of_memory(struct form *f)
{
	return refuse(f->r, 503, NULL, "out of memory");
}

/* Decodes a name or a value to out[3 * CONTROL_MAX_BYTES], as UTF-8. */
static int read_text(struct form *f, struct span raw, char *out, struct span *text)
{
	char bytes[CONTROL_MAX_BYTES];
	unsigned char bad;
	long len = urlenc_decode(raw, true, bytes);

	if (len < 0)
		return refuse(
			f->r, 400, NULL,
			"the form can't be read: a % stands without its two hexadecimal digits");
	if (f->charset == CHARSET_UTF8)
		memcpy(out, bytes, (size_t)len);
	else
		len = charset_decode(f->charset, (struct span){bytes, (size_t)len}, out, &bad);
	if (len < 0 || !utf8_valid(out, (size_t)len))
		return refuse(f->r, 400, NULL,
			      "the form is not in the character set that Content-Type names "
			      "(UTF-8, if none)");
	*text = (struct span){out, (size_t)len};
	return 0;
}

/* Takes `verb[member]` apart; false of any other name. */
static bool split_name(struct span name, struct span *verb, struct span *member)
{
	const char *open = name.len > 0 ? memchr(name.at, '[', name.len) : NULL;

	if (!open || name.len >= FIELD_BYTES || name.at[name.len - 1] != ']')
		return false;
	*verb = (struct span){name.at, (size_t)(open - name.at)};
	*member = (struct span){open + 1, name.len - verb->len - 2};
	return verb->len > 0;
}

/* All fields are members of one object. */
static int put_name(struct form *f, struct span verb, struct span member)
{
	int rc;

	if (f->verb_len > 0) {
		rc = buf_append_char(&f->json, ',');
	} else {
		memcpy(f->verb, verb.at, verb.len);
		f->verb_len = verb.len;
		rc = buf_append_char(&f->json, '{');
		if (rc == 0)
			rc = jsonspan_append_string(&f->json, verb.at, verb.len);
		if (rc == 0)
			rc = buf_append_str(&f->json, ":{");
	}
	if (rc == 0)
		rc = jsonspan_append_string(&f->json, member.at, member.len);
	return rc < 0 ? rc : buf_append_char(&f->json, ':');
}

static bool is_number(struct span text)
{
	uint64_t n;

	return num_parse_u64(text.at, text.len, 0, UINT64_MAX, &n) == 0 &&
	       (text.len == 1 || text.at[0] != '0');
}

/* PHP makes 1 of true. */
static int put_value(struct form *f, struct span member, struct span value)
{
	if (span_is(member, "all") && (span_is(value, "1") || span_is(value, "true")))
		return buf_append_str(&f->json, "true");
	if (span_is(member, "seconds") && is_number(value))
		return buf_append(&f->json, value.at, value.len);
	return jsonspan_append_string(&f->json, value.at, value.len);
}

static int refuse_field(struct form *f, struct span name)
{
	char field[FIELD_BYTES];
	size_t len = name.len < sizeof(field) ? name.len : 0;

	snprintf(field, sizeof(field), "%.*s", (int)len, name.at);
	return refuse(f->r, 422, *field ? field : NULL,
		      "a field is named as disconnect[user] or revoke[seconds] is, and no other "
		      "one may stand there (JSON wants Content-Type: application/json)");
}

static int read_field(struct form *f, struct span raw_name, struct span raw_value)
{
	char name_text[3 * CONTROL_MAX_BYTES], value_text[3 * CONTROL_MAX_BYTES];
	struct span name, value, verb, member;

	if (read_text(f, raw_name, name_text, &name) < 0 ||
	    read_text(f, raw_value, value_text, &value) < 0)
		return -1;
	if (!split_name(name, &verb, &member))
		return refuse_field(f, name);
	if (f->verb_len > 0 && !span_equal(verb, (struct span){f->verb, f->verb_len}))
		return refuse(f->r, 422, NULL, "one thing at a time");
	if (put_name(f, verb, member) < 0 || put_value(f, member, value) < 0)
		return out_of_memory(f);
	return 0;
}

static int write_json(struct form *f, struct span body)
{
	struct span name, value;
	struct urlenc_walk walk;

	urlenc_walk(&walk, body.at, body.len);
	while (urlenc_next(&walk, &name, &value)) {
		if (read_field(f, name, value) < 0)
			return -1;
	}
	if (buf_append_str(&f->json, f->verb_len > 0 ? "}}" : "{}") < 0)
		return out_of_memory(f);
	return 0;
}

static int read_form(struct span body, enum charset charset, struct control *out,
		     struct response *r)
{
	struct form f = {.charset = charset, .r = r};
	int rc;

	buf_init(&f.json, JSON_BYTES);
	rc = write_json(&f, body);
	if (rc == 0)
		rc = read_json((struct span){f.json.data, f.json.len}, out, r);
	buf_done(&f.json);
	return rc;
}

int decode_control(struct span body, const struct decode_media *media, struct control *out,
		   struct response *r)
{
	if (body.len == 0)
		return decode_refuse_empty(r);
	if (body.len > CONTROL_MAX_BYTES) {
		response_error(r, 413, NULL, "a control message has at most %d bytes",
			       CONTROL_MAX_BYTES);
		return -1;
	}
	return media->form ? read_form(body, media->charset, out, r) : read_json(body, out, r);
}
