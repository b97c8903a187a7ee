/* subscribe_form: reads `?topic=a,b&topic=c&last_event_id=…&events=x,y&wait=N`, the same as a form
 * body, and
 * `{"topics":[…],"last_event_id":"…","events":[…]}`. Decoded names go to one block of the ask,
 * which can't be longer than what they were decoded from. */
#include "streamer/subscribe_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "common/event.h"
#include "common/jsonspan.h"
#include "common/num.h"
#include "common/topic.h"
#include "common/urlenc.h"
#include "common/utf8.h"
#include "streamer/ask.h"
#include "streamer/cursor_text.h"
#include "streamer/http_request.h"

#define MAX_EVENT_NAMES  64
#define MAX_WAIT_SECONDS 300

/* Names that polyfills use for the cursor in a query; the first that is there wins. */
static const char *const cursor_names[] = {"last_event_id", "lastEventId", "lastEventID",
					   "Last-Event-ID"};
#define N_CURSOR_NAMES (sizeof(cursor_names) / sizeof(cursor_names[0]))

struct reading {
	struct ask *ask;
	size_t max_topics;
	bool cluster;
	char *out;      /* where the next decoded text goes */
	bool saw_topic; /* a topic parameter was there, even an empty one */
	unsigned status;
	const char *why;
	struct span cursors[N_CURSOR_NAMES];
};

static enum subscribe_form_status bad(struct reading *rd, unsigned status, const char *why)
{
	rd->status = status;
	rd->why = why;
	return SUBSCRIBE_FORM_BAD;
}

static enum subscribe_form_status bad_topic(struct reading *rd, struct span name)
{
	bool sayable = name.len <= TOPIC_MAX_BYTES && utf8_valid(name.at, name.len) &&
		       !utf8_has_control(name.at, name.len);
	rd->status = 400;
	rd->why = NULL;
	if (topic_valid(name.at, name.len))
		snprintf(rd->ask->detail, ASK_DETAIL_BYTES,
			 "Topics beginning with sse: are reserved");
	else if (sayable)
		snprintf(rd->ask->detail, ASK_DETAIL_BYTES, "Invalid topic: %.*s", (int)name.len,
			 name.at);
	else
		snprintf(rd->ask->detail, ASK_DETAIL_BYTES, "Invalid topic: it must be %s",
			 TOPIC_RULE);
	return SUBSCRIBE_FORM_BAD;
}

static bool has_name(const struct span *names, size_t n, struct span name)
{
	for (size_t i = 0; i < n; i++)
		if (span_equal(names[i], name))
			return true;
	return false;
}

static enum subscribe_form_status add_topic(struct reading *rd, struct span name)
{
	struct ask *a = rd->ask;

	if (!topic_valid(name.at, name.len) || topic_reserved(name.at, name.len))
		return bad_topic(rd, name);
	if (has_name(a->topics, a->n_topics, name))
		return SUBSCRIBE_FORM_OK;
	if (a->n_topics == rd->max_topics) {
		snprintf(a->detail, ASK_DETAIL_BYTES,
			 "Too many topics: at most %zu on one connection", rd->max_topics);
		return bad(rd, 400, NULL);
	}
	a->topics[a->n_topics++] = name;
	return SUBSCRIBE_FORM_OK;
}

static enum subscribe_form_status add_event(struct reading *rd, struct span name)
{
	struct ask *a = rd->ask;

	if (!event_name_valid(name.at, name.len))
		return bad(rd, 400, "Invalid event name in events");
	if (has_name(a->events, a->n_events, name))
		return SUBSCRIBE_FORM_OK;
	if (a->n_events == MAX_EVENT_NAMES)
		return bad(rd, 400, "Too many event names in events");
	a->events[a->n_events++] = name;
	return SUBSCRIBE_FORM_OK;
}

typedef enum subscribe_form_status (*add_fn)(struct reading *rd, struct span name);

/* A decoded list: commas separate, blanks around are trimmed, empty ones dropped. */
static enum subscribe_form_status add_list(struct reading *rd, struct span list, add_fn add)
{
	const char *end = list.at + list.len;

	for (const char *at = list.at; at <= end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		struct span name = span_trim((struct span){at, (size_t)(stop - at)});
		enum subscribe_form_status st = name.len ? add(rd, name) : SUBSCRIBE_FORM_OK;
		if (st != SUBSCRIBE_FORM_OK)
			return st;
		at = stop + 1;
	}
	return SUBSCRIBE_FORM_OK;
}

static void note_cursor(struct reading *rd, struct span name, struct span value)
{
	for (size_t i = 0; i < N_CURSOR_NAMES; i++)
		if (span_is(name, cursor_names[i]) && !rd->cursors[i].at)
			rd->cursors[i] = value;
}

/* The first one counts; an empty one is none. */
static void note_ticket(struct reading *rd, struct span name, struct span value)
{
	if (span_is(name, "ticket") && value.len > 0 && !rd->ask->ticket.at)
		rd->ask->ticket = value;
}

static enum subscribe_form_status read_wait(struct reading *rd, struct span value)
{
	uint64_t seconds;

	if (num_parse_u64(value.at, value.len, 0, MAX_WAIT_SECONDS, &seconds) != 0)
		return bad(rd, 400, "wait must be a number of seconds from 0 to 300");
	rd->ask->wait_seconds = (unsigned)seconds;
	return SUBSCRIBE_FORM_OK;
}

static bool decode(struct reading *rd, struct span raw, struct span *out)
{
	long len = urlenc_decode(raw, true, rd->out);
	if (len < 0)
		return false;
	*out = (struct span){rd->out, (size_t)len};
	rd->out += len;
	return true;
}

static enum subscribe_form_status read_pair(struct reading *rd, struct span raw_name,
					    struct span raw_value)
{
	struct span name, value = {"", 0};

	if (!decode(rd, raw_name, &name) || (raw_value.at && !decode(rd, raw_value, &value)))
		return bad(rd, 400, "Malformed percent-encoding");
	if (span_is(name, "topic") || span_is(name, "topics") || span_is(name, "topic[]")) {
		rd->saw_topic = true;
		return add_list(rd, value, add_topic);
	}
	if (span_is(name, "events"))
		return add_list(rd, value, add_event);
	if (span_is(name, "wait"))
		return read_wait(rd, value);
	note_ticket(rd, name, value);
	note_cursor(rd, name, value);
	return SUBSCRIBE_FORM_OK;
}

static enum subscribe_form_status read_form(struct reading *rd, struct span text)
{
	struct urlenc_walk w;
	struct span name, value;

	urlenc_walk(&w, text.at, text.len);
	while (urlenc_next(&w, &name, &value)) {
		enum subscribe_form_status st = read_pair(rd, name, value);
		if (st != SUBSCRIBE_FORM_OK)
			return st;
	}
	return SUBSCRIBE_FORM_OK;
}

static struct span unescape(struct reading *rd, struct span raw)
{
	struct span s = {rd->out, jsonspan_unescape(raw, rd->out)};
	rd->out += s.len;
	return s;
}

/* A string, or an array of strings, each one name: a comma is no separator here. */
static enum subscribe_form_status add_json(struct reading *rd, struct span value, add_fn add)
{
	struct jsonspan_walk w;
	struct span item;

	if (jsonspan_is_string(value))
		return add(rd, unescape(rd, value));
	if (!jsonspan_walk(&w, value) || w.object)
		return bad(rd, 400, "topics and events must be arrays of strings");
	while (jsonspan_next(&w, NULL, &item) == JSONSPAN_OK) {
		if (!jsonspan_is_string(item))
			return bad(rd, 400, "topics and events must be arrays of strings");
		enum subscribe_form_status st = add(rd, unescape(rd, item));
		if (st != SUBSCRIBE_FORM_OK)
			return st;
	}
	return SUBSCRIBE_FORM_OK;
}

static enum subscribe_form_status read_member(struct reading *rd, struct span name,
					      struct span value)
{
	if (jsonspan_string_is(name, "topics") || jsonspan_string_is(name, "topic")) {
		rd->saw_topic = true;
		return add_json(rd, value, add_topic);
	}
	if (jsonspan_string_is(name, "events"))
		return add_json(rd, value, add_event);
	if (jsonspan_string_is(name, "wait"))
		return read_wait(rd, value);
	if (jsonspan_string_is(name, "ticket") && jsonspan_is_string(value))
		note_ticket(rd, span_of("ticket"), unescape(rd, value));
	if (jsonspan_string_is(name, "last_event_id") && jsonspan_is_string(value))
		note_cursor(rd, span_of("last_event_id"), unescape(rd, value));
	return SUBSCRIBE_FORM_OK;
}

static enum subscribe_form_status read_json(struct reading *rd, struct span body)
{
	struct jsonspan_walk w;
	struct span name, value;

	if (jsonspan_check(body.at, body.len, 2, NULL) != JSONSPAN_OK)
		return bad(rd, 400, "The body is not the JSON object that was expected");
	if (!jsonspan_walk(&w, jsonspan_trim(body.at, body.len)) || !w.object)
		return bad(rd, 400, "The body must be a JSON object");
	while (jsonspan_next(&w, &name, &value) == JSONSPAN_OK) {
		enum subscribe_form_status st = read_member(rd, name, value);
		if (st != SUBSCRIBE_FORM_OK)
			return st;
	}
	return SUBSCRIBE_FORM_OK;
}

static enum subscribe_form_status read_body(struct reading *rd, const struct http_request *r,
					    struct span body)
{
	struct span type = http_request_header(r, "Content-Type");

	if (body.len == 0)
		return SUBSCRIBE_FORM_OK;
	if (type.at)
		type.len = strcspn(type.at, "; \t\r") < type.len ? strcspn(type.at, "; \t\r")
								 : type.len;
	if (type.at && http_name_equal(type, span_of("application/json")))
		return read_json(rd, body);
	if (type.at && http_name_equal(type, span_of("application/x-www-form-urlencoded")))
		return read_form(rd, body);
	return bad(rd, 415, "Send application/json or application/x-www-form-urlencoded");
}

/* A cursor that is not of our form counts as none (a polyfill may send anything). */
static void choose_cursor(struct reading *rd, const struct http_request *r)
{
	struct ask *a = rd->ask;
	struct span header = http_request_header(r, "Last-Event-ID");

	if (header.at) {
		if (cursor_text_valid(header, rd->cluster))
			a->cursor = header;
		return;
	}
	for (size_t i = 0; i < N_CURSOR_NAMES && !a->cursor.at; i++)
		if (rd->cursors[i].at && cursor_text_valid(rd->cursors[i], rd->cluster))
			a->cursor = rd->cursors[i];
}

static enum subscribe_form_status read_all(struct reading *rd, const struct http_request *r,
					   struct span body)
{
	enum subscribe_form_status st = SUBSCRIBE_FORM_OK;

	if (r->query.at)
		st = read_form(rd, r->query);
	if (st == SUBSCRIBE_FORM_OK)
		st = read_body(rd, r, body);
	if (st != SUBSCRIBE_FORM_OK)
		return st;
	if (!rd->saw_topic)
		return bad(rd, 400, "Missing required query parameter: topic");
	if (rd->ask->n_topics == 0)
		return bad(rd, 400, "At least one topic is required");
	choose_cursor(rd, r);
	return SUBSCRIBE_FORM_OK;
}

enum subscribe_form_status subscribe_form_read(struct ask *a, size_t max_topics, bool cluster,
					       const struct http_request *r, struct span body,
					       unsigned *status, const char **why)
{
	struct reading rd = {.ask = a, .max_topics = max_topics, .cluster = cluster};

	a->decoded = malloc(r->query.len + body.len + 1);
	a->topics = calloc(max_topics, sizeof(*a->topics));
	a->events = calloc(MAX_EVENT_NAMES, sizeof(*a->events));
	if (!a->decoded || !a->topics || !a->events)
		return SUBSCRIBE_FORM_NOMEM;
	rd.out = a->decoded;
	enum subscribe_form_status st = read_all(&rd, r, body);
	*status = rd.status;
	*why = rd.why;
	return st;
}
