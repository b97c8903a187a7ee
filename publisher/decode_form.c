/* decode_form: a body as HTML forms, PHP's http_build_query and curl -d send it: one event. Texts
 * are decoded, turned into UTF-8 where the Content-Type names another charset, and checked. Fields
 * that mean nothing here are passed over, since old forms carry all sorts of them. */
#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "common/jsonspan.h"
#include "common/urlenc.h"
#include "common/utf8.h"
#include "publisher/decode_build.h"
#include "publisher/response.h"

#define NAME_BYTES 64 /* no field that means something is longer */

/* ---- texts ---- */

/* Turns text into UTF-8 in memory of the publication. */
static int convert(struct decode_build *b, enum member m, enum charset charset, struct span *text)
{
	char *out = build_alloc(b, charset_room(*text));
	unsigned char bad;
	long len;

	if (!out)
		return -1;
	len = charset_decode(charset, *text, out, &bad);
	if (len < 0)
		return build_refuse(b, 400, m,
				    "%s holds the byte 0x%02x, which is no character in "
				    "windows-1252: send UTF-8",
				    member_name(m), bad);
	*text = (struct span){out, (size_t)len};
	return 0;
}

static int refuse_percent(struct decode_build *b)
{
	response_error(b->r, 400, NULL,
		       "the form can't be read: a %% stands without its two hexadecimal digits");
	return -1;
}

static int read_text(struct decode_build *b, enum member m, enum charset charset, struct span raw,
		     struct span *out)
{
	char *text = build_alloc(b, raw.len);
	if (!text)
		return -1;

	long len = urlenc_decode(raw, true, text);
	if (len < 0)
		return refuse_percent(b);
	*out = (struct span){text, (size_t)len};
	if (charset != CHARSET_UTF8)
		return convert(b, m, charset, out);
	if (!utf8_valid(out->at, out->len))
		return build_refuse(
			b, 400, m,
			"%s is not UTF-8: convert it before, or name its charset, as in "
			"Content-Type: application/x-www-form-urlencoded; charset=iso-8859-1",
			member_name(m));
	return 0;
}

/* ---- fields ---- */

static int read_topic_list(struct decode_build *b, enum member m, struct span list)
{
	int rc = 0;

	while (rc == 0 && list.len > 0) {
		const char *comma = memchr(list.at, ',', list.len);
		size_t len = comma ? (size_t)(comma - list.at) : list.len,
		       step = len + (comma != NULL);
		struct span topic = {list.at, len};

		while (topic.len > 0 && (*topic.at == ' ' || *topic.at == '\t'))
			topic = (struct span){topic.at + 1, topic.len - 1};
		while (topic.len > 0 &&
		       (topic.at[topic.len - 1] == ' ' || topic.at[topic.len - 1] == '\t'))
			topic.len--;
		if (topic.len > 0)
			rc = build_topic(b, m, -1, topic);
		list = (struct span){list.at + step, list.len - step};
	}
	return rc;
}

/* One JSON object from the first byte to the last: it travels as it is, readable for everybody. */
static bool is_object(struct span text)
{
	return text.len >= 2 && text.at[0] == '{' && text.at[text.len - 1] == '}' &&
	       jsonspan_check(text.at, text.len, EVENT_DATA_DEPTH, NULL) == JSONSPAN_OK;
}

/* What is no JSON object travels as a JSON string, and is delivered as its text. */
static int read_data(struct decode_build *b, struct span text)
{
	struct buf quoted;
	char *kept;
	int rc;

	if (is_object(text)) {
		b->event->data = text;
		return 0;
	}
	buf_init(&quoted, b->max_message);
	rc = jsonspan_append_string(&quoted, text.at, text.len);
	if (rc == -ENOBUFS)
		rc = build_refuse(
			b, 413, MEMBER_DATA,
			"data is too large: a message has %zu bytes at most (max_message_size)",
			b->max_message);
	else if (rc < 0)
		rc = build_out_of_memory(b);
	else if (!(kept = build_alloc(b, quoted.len)))
		rc = -1;
	else
		b->event->data = (struct span){memcpy(kept, quoted.data, quoted.len), quoted.len};
	buf_done(&quoted);
	return rc;
}

static int refuse_brackets(struct decode_build *b, enum member m)
{
	if (m == MEMBER_DATA)
		return build_refuse(b, 422, m,
				    "data is one text, not an array: use json_encode ('data' => "
				    "json_encode($data))");
	return build_refuse(b, 422, m, "%s is one text, not an array", member_name(m));
}

static int read_field(struct decode_build *b, enum member m, bool brackets, enum charset charset,
		      struct span raw)
{
	bool list = m == MEMBER_TOPIC || m == MEMBER_TOPICS;
	struct span text;

	if (brackets && !list)
		return refuse_brackets(b, m);
	if (list)
		b->given[m] = false; /* these may repeat */
	if (build_give(b, m) < 0 || read_text(b, m, charset, raw, &text) < 0)
		return -1;
	switch (m) {
	case MEMBER_TOPIC:
	case MEMBER_TOPICS: return read_topic_list(b, m, text);
	case MEMBER_EVENT: return build_name(b, text);
	case MEMBER_DATA: return read_data(b, text);
	case MEMBER_KEY: return build_key(b, text);
	default: return build_idempotency_key(b, text);
	}
}

/* The member that a field's name stands for, MEMBER_COUNT when for none. *brackets: written
 * `name[...]`, as PHP does. */
static enum member find_member(struct span name, bool *brackets)
{
	const char *bracket = name.len ? memchr(name.at, '[', name.len) : NULL;
	enum member m = 0;

	*brackets = bracket != NULL;
	if (bracket)
		name.len = (size_t)(bracket - name.at);
	while (m < MEMBER_COUNT && !span_is(name, member_name(m)))
		m++;
	return m;
}

static int read_pair(struct decode_build *b, enum charset charset, struct span name,
		     struct span value)
{
	char text[3 * NAME_BYTES];
	bool brackets;
	long len;

	if (name.len > sizeof(text))
		return 0;
	len = urlenc_decode(name, true, text);
	if (len < 0)
		return refuse_percent(b);
	enum member m = find_member((struct span){text, (size_t)len}, &brackets);
	return m == MEMBER_COUNT ? 0 : read_field(b, m, brackets, charset, value);
}

int decode_form(struct decode_build *b, struct span body, enum charset charset)
{
	struct urlenc_walk walk;
	struct span name, value;
	int rc;

	if (build_events(b, 1, false) < 0)
		return -1;
	build_begin(b, 0);
	urlenc_walk(&walk, body.at, body.len);
	for (rc = 0; rc == 0 && urlenc_next(&walk, &name, &value);)
		rc = read_pair(b, charset, name, value);
	if (rc == 0 && b->event->n_topics == 0 && (body.at[0] == '{' || body.at[0] == '[')) {
		response_error(
			b->r, 422, "topic",
			"there is no topic; the body looks like JSON: send it with Content-Type: "
			"application/json");
		return -1;
	}
	return rc < 0 ? rc : build_end(b);
}
