/* sse: formats each message once, for all of its listeners. Owns nothing; the frames go to whoever
 * asked. What goes in was checked by event_decode: names hold no line break, data is strict JSON.
 */
#include "streamer/sse.h"

#include <errno.h>
#include <string.h>
#include "common/buf.h"
#include "common/event.h"
#include "common/jsonspan.h"
#include "streamer/frame.h"

#define SSE_MAX_BYTES                                                                              \
	((size_t)64 * 1024 * 1024) /* far above what a message of max_message_size can become */

#define USUAL_REST_BYTES 128 /* of a frame, beside name and data */

static struct frame *finish(struct buf *b, int err)
{
	struct frame *f = err ? NULL : frame_copy(b->data, b->len);
	buf_done(b);
	return f;
}

/* Section 9.2.6: the parser takes CR, LF and CRLF as line ends alike and joins data lines with LF.
 * One blank behind the colon is ours, so that text beginning with a blank keeps it. */
static const char *find(const char *text, const char *end, char c)
{
	const char *at = memchr(text, c, (size_t)(end - text));
	return at ? at : end;
}

static int append_data(struct buf *b, const char *text, size_t len)
{
	const char *end = text + len, *lf = find(text, end, '\n'), *cr = find(text, end, '\r');

	for (;;) {
		const char *stop = lf < cr ? lf : cr;
		int err = buf_append(b, "data: ", 6);
		err |= buf_append(b, text, (size_t)(stop - text));
		err |= buf_append_char(b, '\n');
		if (err || stop == end)
			return err;
		text = stop + (stop == cr && lf == cr + 1 && lf < end ? 2 : 1);
		if (lf < text)
			lf = find(text, end, '\n');
		if (cr < text)
			cr = find(text, end, '\r');
	}
}

static int append_cursor(struct buf *b, struct span cursor)
{
	int err = buf_append_str(b, "id: ");
	err |= buf_append(b, cursor.at, cursor.len);
	return err | buf_append_char(b, '\n');
}

static int append_id(struct buf *b, struct event_id id, const struct sse_source *from)
{
	char text[EVENT_ID_MAX_BYTES + 1];
	event_id_format(id, text);
	if (from->cluster)
		return buf_printf(b, "id: %u:%s\n", from->partition, text);
	return buf_printf(b, "id: %s\n", text);
}

static int append_name(struct buf *b, struct span name)
{
	int err = buf_append_str(b, "event: ");
	err |= buf_append(b, name.at, name.len);
	return err | buf_append_char(b, '\n');
}

static int append_span(struct buf *b, struct span s)
{
	int err = s.len > 0 ? buf_append(b, s.at, s.len) : 0;
	return err | buf_append_char(b, '\0');
}

/* What makes it the same as another one. */
static int append_same(struct buf *b, struct span name, const struct sse_source *from)
{
	if (!from->key.at)
		return 0;
	return append_span(b, from->topic) | append_span(b, name) | append_span(b, from->key);
}

/* Block, id line and blank line; then what is never sent. */
static struct frame *finish_event(struct buf *b, struct span name, struct event_id id,
				  const struct sse_source *from)
{
	size_t body_len = b->len;
	int err = event_id_is_zero(id) ? 0 : append_id(b, id, from);

	err |= buf_append_char(b, '\n');
	size_t len = b->len;
	err |= from->names.len > 0 ? buf_append(b, from->names.at, from->names.len) : 0;
	err |= append_same(b, name, from);
	size_t all = b->len;
	struct frame *f = finish(b, err);
	if (!f)
		return NULL;
	f->event = true;
	f->id = id;
	f->name_len = (uint8_t)name.len; /* at most EVENT_NAME_MAX_BYTES */
	f->partition = (uint16_t)from->partition;
	f->len = (uint32_t)len;
	f->body_len = (uint32_t)body_len;
	f->names_len = (uint32_t)from->names.len;
	f->same_len = (uint32_t)(all - len - from->names.len);
	return f;
}

struct frame *sse_event(struct span name, struct span data, struct event_id id,
			const struct sse_source *from)
{
	static const struct sse_source nowhere;
	struct span shown = data;
	struct buf text, b;
	buf_init(&text, SSE_MAX_BYTES);
	buf_init(&b, SSE_MAX_BYTES);

	int err = buf_reserve(&b, data.len + name.len + USUAL_REST_BYTES) ? 0 : -ENOMEM;
	if (!err && jsonspan_is_string(data)) {
		err = event_data_text(data, &text);
		shown = (struct span){text.data ? text.data : "", text.len};
	}
	if (!err)
		err = append_name(&b, name) | append_data(&b, shown.at, shown.len);
	buf_done(&text);
	if (err) {
		buf_done(&b);
		return NULL;
	}
	return finish_event(&b, name, id, from ? from : &nowhere);
}

struct span sse_event_name(const struct frame *f)
{
	return (struct span){f->bytes + sizeof("event: ") - 1, f->name_len};
}

int sse_event_data(const struct frame *f, struct buf *b)
{
	static const struct span mark = {"data: ", 6};
	const char *at = f->bytes + sizeof("event: ") - 1 + f->name_len + 1;
	const char *end = f->bytes + f->len;
	int err = 0;

	for (bool first = true;
	     !err && (size_t)(end - at) > mark.len && memcmp(at, mark.at, mark.len) == 0;
	     first = false) {
		const char *line = at + mark.len;
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		if (!first)
			err |= buf_append_char(b, '\n');
		err |= buf_append(b, line, (size_t)(stop - line));
		at = stop + 1;
	}
	return err;
}

struct frame *sse_retry(uint64_t retry_ms)
{
	struct buf b;
	buf_init(&b, 64);
	return finish(&b, buf_printf(&b, "retry: %llu\n\n", (unsigned long long)retry_ms));
}

struct frame *sse_notice(const char *name, struct span json, uint64_t retry_ms, struct span cursor)
{
	struct buf b;
	int err = 0;

	buf_init(&b, SSE_MAX_BYTES);
	if (retry_ms)
		err = buf_printf(&b, "retry: %llu\n", (unsigned long long)retry_ms);
	err |= append_name(&b, span_of(name)) | append_data(&b, json.at, json.len);
	if (cursor.at)
		err |= append_cursor(&b, cursor);
	return finish(&b, err | buf_append_char(&b, '\n'));
}

struct frame *sse_position(struct span cursor)
{
	struct buf b;
	buf_init(&b, SSE_MAX_BYTES);
	return finish(&b, append_cursor(&b, cursor) | buf_append_char(&b, '\n'));
}

struct frame *sse_heartbeat_comment(void)
{
	static struct frame ping = {
		.refs = FRAME_STATIC,
		.len = sizeof(": ping\n\n") - 1,
		.bytes = ": ping\n\n",
	};
	return &ping;
}

struct frame *sse_heartbeat_event(uint64_t unix_seconds)
{
	struct buf b;
	buf_init(&b, 128);
	return finish(&b, buf_printf(&b, "event: ping\ndata: {\"timestamp\":%llu}\n\n",
				     (unsigned long long)unix_seconds));
}
