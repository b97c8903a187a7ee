/* fuzz_sse: whatever message a Redis channel may carry, a client that reads the stream by the rules
 * of WHATWG HTML 9.2.6 gets exactly that event, and once. The client here is written from those
 * rules and shares nothing with sse.c. */
#include "streamer/sse.h"

#include <string.h>

#include "common/buf.h"
#include "common/event.h"
#include "common/jsonspan.h"
#include "streamer/frame.h"
#include "tests/fuzz/fuzz.h"

/* What EventSource remembers while it reads. */
struct client {
	struct buf type, data, last_id;
	bool has_data, id_seen;
	unsigned fired;
	struct buf got_type, got_data;
};

static void set(struct buf *b, const char *bytes, size_t len)
{
	buf_clear(b);
	MUST(buf_append(b, bytes, len) == 0);
}

/* "dispatch the event": nothing fires without a data line. */
static void dispatch(struct client *c)
{
	if (c->has_data) {
		c->fired++;
		set(&c->got_type, c->type.data ? c->type.data : "", c->type.len);
		set(&c->got_data, c->data.data, c->data.len - 1); /* the last LF goes */
	}
	buf_clear(&c->type);
	buf_clear(&c->data);
	c->has_data = false;
}

static void field(struct client *c, struct span name, struct span value)
{
	if (span_is(name, "event")) {
		set(&c->type, value.at, value.len);
	} else if (span_is(name, "data")) {
		MUST(buf_append(&c->data, value.at, value.len) == 0);
		MUST(buf_append_char(&c->data, '\n') == 0);
		c->has_data = true;
	} else {
		MUST(span_is(name, "id"));                /* no other field is in an event */
		MUST(!memchr(value.at, '\0', value.len)); /* the id would be ignored */
		set(&c->last_id, value.at, value.len);
		c->id_seen = true;
	}
}

static void line(struct client *c, const char *at, size_t len)
{
	const char *colon = memchr(at, ':', len);

	if (len == 0) {
		dispatch(c);
		return;
	}
	MUST(colon && colon > at); /* neither a comment nor a bare name */
	struct span value = {colon + 1, len - (size_t)(colon - at) - 1};
	if (value.len > 0 && value.at[0] == ' ') {
		value.at++;
		value.len--;
	}
	field(c, (struct span){at, (size_t)(colon - at)}, value);
}

static void read_stream(struct client *c, const char *bytes, size_t len)
{
	size_t begin = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\n' && bytes[i] != '\r')
			continue;
		line(c, bytes + begin, i - begin);
		if (bytes[i] == '\r' && i + 1 < len && bytes[i + 1] == '\n')
			i++;
		begin = i + 1;
	}
	MUST(begin == len); /* nothing is left that the next frame would complete */
}

/* The text of data, with every line break as LF. */
static size_t expected_text(struct span data, char *out)
{
	size_t len = data.len, n = 0;

	if (data.len > 0 && data.at[0] == '"')
		len = jsonspan_unescape(data, out);
	else
		memcpy(out, data.at, data.len);
	for (size_t i = 0; i < len; i++) {
		if (out[i] == '\r' && i + 1 < len && out[i + 1] == '\n')
			continue;
		out[n++] = out[i] == '\r' ? '\n' : out[i];
	}
	return n;
}

static void check_id(const struct client *c, struct event_id id)
{
	char text[64];

	MUST(c->id_seen == (id.ms != 0 || id.n != 0));
	if (!c->id_seen)
		return;
	int len = snprintf(text, sizeof(text), "%llu-%llu", (unsigned long long)id.ms,
			   (unsigned long long)id.n);
	MUST(c->last_id.len == (size_t)len && memcmp(c->last_id.data, text, (size_t)len) == 0);
}

static void check_event(const struct event_message *m)
{
	struct frame *f = sse_event(m->name, m->data, m->id, NULL);
	struct client c = {.fired = 0};
	struct buf *bufs[] = {&c.type, &c.data, &c.last_id, &c.got_type, &c.got_data};
	char *text = malloc(m->data.len + 1);

	MUST(f && text);
	for (size_t i = 0; i < 5; i++)
		buf_init(bufs[i], SIZE_MAX);
	read_stream(&c, f->bytes, f->len);
	MUST(c.fired == 1 && !c.has_data);
	MUST(c.got_type.len == m->name.len &&
	     memcmp(c.got_type.data, m->name.at, m->name.len) == 0);
	size_t len = expected_text(m->data, text);
	MUST(c.got_data.len == len && (len == 0 || memcmp(c.got_data.data, text, len) == 0));
	check_id(&c, m->id);
	MUST(f->event && span_equal(sse_event_name(f), m->name));
	for (size_t i = 0; i < 5; i++)
		buf_done(bufs[i]);
	free(text);
	frame_unref(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct event_message m;

	if (event_decode((const char *)bytes, len, &m) != EVENT_OK)
		return 0;
	check_event(&m);
	event_message_done(&m);
	return 0;
}
