/* decode_json: a JSON body, one event or an array of them. The text is checked strictly as a whole
 * first, so that what follows can walk it without doubts; data is never taken apart: its bytes
 * travel as they came. */
#include "common/jsonspan.h"
#include "publisher/decode_build.h"
#include "publisher/response.h"

/* ---- a body that can't be read, or breaks a rule of all JSON here ---- */

static bool lies_in(struct span s, const char *at)
{
	return at >= s.at && at < s.at + s.len;
}

/* The name, as it is spelled, of the member of this event whose value holds the byte at; empty when
 * there is none. */
static struct span member_at(struct span event, const char *at)
{
	struct jsonspan_walk walk;
	struct span name, value;

	if (!jsonspan_walk(&walk, event) || !walk.object)
		return span_of("");
	while (jsonspan_next(&walk, &name, &value) == JSONSPAN_OK) {
		if (lies_in(value, at))
			return (struct span){name.at + 1, name.len - 2};
	}
	return span_of("");
}

/* Refuses a text that can be read but breaks a rule at this byte. It can be walked, not unescaped.
 */
static int refuse_rule(struct decode_build *b, struct span whole, const char *at, const char *rule)
{
	struct jsonspan_walk walk;
	struct span event = whole, ignored;
	char path[BUILD_PATH_BYTES];
	bool batch = whole.at[0] == '[';
	size_t index = 0;

	if (batch && jsonspan_walk(&walk, whole)) {
		while (jsonspan_next(&walk, &ignored, &event) == JSONSPAN_OK && !lies_in(event, at))
			index++;
	}
	build_path(batch, index, member_at(event, at), path);
	response_error(b->r, 422, *path ? path : NULL, "%s", rule);
	return -1;
}

static int refuse_text(struct decode_build *b, struct span body, enum jsonspan_status status,
		       size_t at)
{
	if (status == JSONSPAN_DEPTH)
		return refuse_rule(b, jsonspan_trim(body.at, body.len), body.at + at,
				   "it nests too deep: data takes 64 levels");
	if (status == JSONSPAN_SURROGATE)
		return refuse_rule(
			b, jsonspan_trim(body.at, body.len), body.at + at,
			"a \\ud800-\\udfff escape stands without its partner: it names no "
			"character");
	if (status == JSONSPAN_UTF8)
		response_error(b->r, 400, NULL,
			       "the body is not UTF-8 at byte %zu: JSON is UTF-8, so convert texts "
			       "before (PHP: mb_convert_encoding($text, 'UTF-8', 'ISO-8859-1'))",
			       at);
	else if (body.len >= 3 && memcmp(body.at, "\xef\xbb\xbf", 3) == 0)
		response_error(
			b->r, 400, NULL,
			"the body is not JSON: it begins with a byte order mark, leave it out");
	else
		response_error(b->r, 400, NULL,
			       "the body is not JSON: it can't be read from byte %zu", at);
	return -1;
}

/* ---- members ---- */

/* The text of a JSON string: as it stands where it has no escapes, else decoded. */
static int read_string(struct decode_build *b, enum member m, struct span raw, struct span *out)
{
	char *text;

	if (!jsonspan_is_string(raw))
		return build_refuse(b, 422, m, "%s takes a JSON string", member_name(m));
	if (!memchr(raw.at, '\\', raw.len)) {
		*out = (struct span){raw.at + 1, raw.len - 2};
		return 0;
	}
	text = build_alloc(b, raw.len);
	if (!text)
		return -1;
	*out = (struct span){text, jsonspan_unescape(raw, text)};
	return 0;
}

static int refuse_topics(struct decode_build *b)
{
	return build_refuse(b, 422, MEMBER_TOPICS, "topics takes an array of strings");
}

static int read_topics(struct decode_build *b, struct span raw)
{
	struct jsonspan_walk walk;
	struct span ignored, element, topic;
	int rc = 0;

	if (!jsonspan_walk(&walk, raw) || walk.object)
		return refuse_topics(b);
	for (long i = 0; rc == 0 && jsonspan_next(&walk, &ignored, &element) == JSONSPAN_OK; i++) {
		if (!jsonspan_is_string(element))
			return refuse_topics(b);
		rc = read_string(b, MEMBER_TOPICS, element, &topic);
		if (rc == 0)
			rc = build_topic(b, MEMBER_TOPICS, i, topic);
	}
	return rc;
}

static int read_member(struct decode_build *b, enum member m, struct span raw)
{
	struct span text;

	if (build_give(b, m) < 0)
		return -1;
	if (m == MEMBER_TOPICS)
		return read_topics(b, raw);
	if (m == MEMBER_DATA) {
		b->event->data = raw;
		return 0;
	}
	if (read_string(b, m, raw, &text) < 0)
		return -1;
	switch (m) {
	case MEMBER_TOPIC: return build_topic(b, m, -1, text);
	case MEMBER_EVENT: return build_name(b, text);
	case MEMBER_KEY: return build_key(b, text);
	default: return build_idempotency_key(b, text);
	}
}

/* name: empty for the event itself. */
static int refuse_event(struct decode_build *b, struct span name, const char *why)
{
	char path[BUILD_PATH_BYTES];

	build_path(b->p->batch, build_index(b), name, path);
	response_error(b->r, 422, *path ? path : NULL, "%s", why);
	return -1;
}

static int read_event(struct decode_build *b, struct span value)
{
	struct jsonspan_walk walk;
	struct span name, raw;
	int rc = 0;

	if (!jsonspan_walk(&walk, value) || !walk.object)
		return refuse_event(b, span_of(""),
				    "an event is a JSON object with " MEMBERS_IN_WORDS);
	while (rc == 0 && jsonspan_next(&walk, &name, &raw) == JSONSPAN_OK) {
		enum member m = 0;

		while (m < MEMBER_COUNT && !jsonspan_string_is(name, member_name(m)))
			m++;
		if (m == MEMBER_COUNT)
			return refuse_event(
				b, (struct span){name.at + 1, name.len - 2},
				"an event has no such member: it takes " MEMBERS_IN_WORDS);
		rc = read_member(b, m, raw);
	}
	return rc < 0 ? rc : build_end(b);
}

/* ---- the body ---- */

static size_t count_elements(struct span array)
{
	struct jsonspan_walk walk;
	struct span ignored, element;
	size_t n = 0;

	if (jsonspan_walk(&walk, array)) {
		while (n <= DECODE_MAX_EVENTS &&
		       jsonspan_next(&walk, &ignored, &element) == JSONSPAN_OK)
			n++;
	}
	return n;
}

static int read_batch(struct decode_build *b, struct span array)
{
	struct jsonspan_walk walk;
	struct span ignored, element;
	size_t n = count_elements(array);
	int rc;

	if (n == 0 || n > DECODE_MAX_EVENTS) {
		response_error(b->r, 422, NULL, "an array holds 1 to %d events", DECODE_MAX_EVENTS);
		return -1;
	}
	rc = build_events(b, n, true);
	jsonspan_walk(&walk, array);
	for (size_t i = 0; rc == 0 && jsonspan_next(&walk, &ignored, &element) == JSONSPAN_OK;
	     i++) {
		build_begin(b, i);
		rc = read_event(b, element);
	}
	return rc;
}

int decode_json(struct decode_build *b, struct span body)
{
	struct span whole = jsonspan_trim(body.at, body.len);
	bool batch = whole.len > 0 && whole.at[0] == '[';
	size_t at = 0;
	enum jsonspan_status status =
		jsonspan_check(body.at, body.len, EVENT_DATA_DEPTH + (batch ? 2 : 1), &at);

	if (status != JSONSPAN_OK)
		return refuse_text(b, body, status, at);
	if (batch)
		return read_batch(b, whole);
	if (build_events(b, 1, false) < 0)
		return -1;
	build_begin(b, 0);
	return read_event(b, whole);
}
