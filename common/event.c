/* event: the wire contract between publisher and streamer, in both directions. Writes messages in
 * one spelling and reads whatever strict JSON other publishers send. Owns no policy: topics, limits
 * and ids are checked by others. */
#include "common/event.h"

#include <errno.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/jsonspan.h"
#include "common/utf8.h"

bool event_name_valid(const char *name, size_t len)
{
	return len > 0 && len <= EVENT_NAME_MAX_BYTES && utf8_valid(name, len) &&
	       !utf8_has_control(name, len);
}

bool event_name_reserved(const char *name, size_t len)
{
	return len >= 4 && memcmp(name, "sse.", 4) == 0;
}

/* ---- encoding ---- */

static int append_head(const struct event *e, struct buf *b)
{
	int rc = buf_append_str(b, "{\"event\":");

	if (rc == 0)
		rc = jsonspan_append_string(b, e->name.at, e->name.len);
	if (rc == 0)
		rc = buf_append_str(b, ",\"data\":");
	if (rc == 0)
		rc = buf_append(b, e->data.at, e->data.len);
	if (rc == 0)
		rc = buf_append_str(b, ",\"id\":\"");
	return rc;
}

static int append_topics(const struct event *e, struct buf *b)
{
	int rc = buf_append_str(b, ",\"topics\":");

	for (size_t i = 0; rc == 0 && i < e->n_topics; i++) {
		rc = buf_append_char(b, i == 0 ? '[' : ',');
		if (rc == 0)
			rc = jsonspan_append_string(b, e->topics[i].at, e->topics[i].len);
	}
	return rc < 0 ? rc : buf_append_char(b, ']');
}

static int append_tail(const struct event *e, struct buf *b)
{
	int rc = buf_append_char(b, '"');

	if (rc == 0 && e->n_topics > 1)
		rc = append_topics(e, b);
	if (rc == 0 && e->key.at) {
		rc = buf_append_str(b, ",\"key\":");
		if (rc == 0)
			rc = jsonspan_append_string(b, e->key.at, e->key.len);
	}
	return rc < 0 ? rc : buf_append_char(b, '}');
}

int event_encode(const struct event *e, struct buf *b, struct event_parts *parts)
{
	size_t start = b->len, head_end, middle_end;
	int rc = append_head(e, b);

	head_end = b->len;
	if (rc == 0)
		rc = buf_append_str(b, "\",\"prev\":\"");
	middle_end = b->len;
	if (rc == 0)
		rc = append_tail(e, b);
	if (rc < 0) {
		b->len = start;
		if (b->data)
			b->data[start] = '\0';
		return rc;
	}
	parts->head = (struct span){b->data + start, head_end - start};
	parts->middle = (struct span){b->data + head_end, middle_end - head_end};
	parts->tail = (struct span){b->data + middle_end, b->len - middle_end};
	return 0;
}

size_t event_message_bytes(const struct event_parts *parts)
{
	return parts->head.len + parts->middle.len + parts->tail.len + 2 * EVENT_ID_MAX_BYTES;
}

/* ---- decoding ---- */

/* The members that mean something, as they stand in the message; of a name that is there twice the
 * last one counts, as in Python's json. */
struct members {
	struct span event, data, id, prev, topics, key;
};

static void take_member(struct members *m, struct span name, struct span value)
{
	if (jsonspan_string_is(name, "event"))
		m->event = value;
	else if (jsonspan_string_is(name, "data"))
		m->data = value;
	else if (jsonspan_string_is(name, "id"))
		m->id = value;
	else if (jsonspan_string_is(name, "prev"))
		m->prev = value;
	else if (jsonspan_string_is(name, "topics"))
		m->topics = value;
	else if (jsonspan_string_is(name, "key"))
		m->key = value;
}

static bool collect_members(const char *text, size_t len, struct members *members)
{
	struct span whole, name, value;
	struct jsonspan_walk walk;

	if (jsonspan_check(text, len, EVENT_DATA_DEPTH + 1, NULL) != JSONSPAN_OK)
		return false;
	whole = jsonspan_trim(text, len);
	if (!jsonspan_walk(&walk, whole) || !walk.object)
		return false;
	while (jsonspan_next(&walk, &name, &value) == JSONSPAN_OK)
		take_member(members, name, value);
	return true;
}

/* An id is written without escapes by our scripts; any other spelling is not ours. */
static bool read_id(struct span raw, struct event_id *out)
{
	return jsonspan_is_string(raw) && event_id_parse(raw.at + 1, raw.len - 2, out) == 0;
}

static void read_ours(const struct members *members, struct event_message *m)
{
	struct event_id id, prev;

	if (!read_id(members->id, &id) || !read_id(members->prev, &prev))
		return;
	m->ours = true;
	m->id = id;
	m->prev = prev;
	if (jsonspan_is_string(members->key))
		m->key = members->key;
	if (members->topics.at && members->topics.at[0] == '[')
		m->topics = members->topics;
}

static enum event_decode_status read_name(struct span raw, struct event_message *m)
{
	if (!jsonspan_is_string(raw))
		return EVENT_NOT_EVENT;
	m->name = (struct span){raw.at + 1, raw.len - 2};
	if (memchr(raw.at, '\\', raw.len)) {
		m->owned = malloc(raw.len);
		if (!m->owned)
			return EVENT_DECODE_NOMEM;
		m->name = (struct span){m->owned, jsonspan_unescape(raw, m->owned)};
	}
	if (!event_name_valid(m->name.at, m->name.len) ||
	    event_name_reserved(m->name.at, m->name.len)) {
		free(m->owned);
		return EVENT_NOT_EVENT;
	}
	return EVENT_OK;
}

enum event_decode_status event_decode(const char *text, size_t len, struct event_message *m)
{
	struct event_message decoded = {0};
	struct members members = {.data = {"{}", 2}};
	enum event_decode_status status;

	if (!collect_members(text, len, &members))
		return EVENT_NOT_JSON;
	status = read_name(members.event, &decoded);
	if (status != EVENT_OK)
		return status;
	decoded.data = members.data;
	read_ours(&members, &decoded);
	*m = decoded;
	return EVENT_OK;
}

void event_message_done(struct event_message *m)
{
	free(m->owned);
	*m = (struct event_message){0};
}

int event_data_text(struct span data, struct buf *b)
{
	char *out;

	if (!jsonspan_is_string(data))
		return buf_append(b, data.at, data.len);
	out = buf_reserve(b, data.len);
	if (!out)
		return -errno;
	b->len += jsonspan_unescape(data, out);
	b->data[b->len] = '\0';
	return 0;
}
