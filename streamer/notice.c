/* notice: builds the JSON of our own events. When to say them is streams.c's. */
#include "streamer/notice.h"

#include "common/buf.h"
#include "common/jsonspan.h"
#include "streamer/hub.h"
#include "streamer/sse.h"

#define NOTICE_MAX_BYTES ((size_t)1024 * 1024) /* 1024 topics of 200 bytes fit */

static const struct event_id no_id;

static int append_topics(struct buf *b, const struct subscription *topics, size_t n)
{
	int err = buf_append_char(b, '[');
	for (size_t i = 0; i < n && !err; i++) {
		const struct topic *t = topics[i].topic;
		if (i > 0)
			err |= buf_append_char(b, ',');
		err |= jsonspan_append_string(b, t->name, t->name_len);
	}
	return err | buf_append_char(b, ']');
}

static struct frame *finish(struct buf *b, int err, const char *name, uint64_t retry_ms,
			    struct event_id id)
{
	struct frame *f = NULL;
	if (!err)
		f = sse_notice(name, (struct span){b->data, b->len}, retry_ms, id);
	buf_done(b);
	return f;
}

struct frame *notice_open(const struct subscription *topics, size_t n, bool reset,
			  struct event_id position)
{
	struct buf b;
	buf_init(&b, NOTICE_MAX_BYTES);
	int err = buf_append_str(&b, "{\"topics\":");
	err |= append_topics(&b, topics, n);
	err |= buf_append_str(&b, ",\"resumed\":false,\"replayed\":0,\"reset\":");
	err |= append_topics(&b, topics, reset ? n : 0);
	err |= buf_append_char(&b, '}');
	return finish(&b, err, "sse.open", 0, position);
}

struct frame *notice_reset(const struct subscription *topics, size_t n, const char *reason)
{
	struct buf b;
	buf_init(&b, NOTICE_MAX_BYTES);
	int err = buf_append_str(&b, "{\"topics\":");
	err |= append_topics(&b, topics, n);
	err |= buf_printf(&b, ",\"reason\":\"%s\"}", reason);
	return finish(&b, err, "sse.reset", 0, no_id);
}

struct frame *notice_bye(uint64_t retry_ms)
{
	return sse_notice("sse.bye", span_of("{}"), retry_ms, no_id);
}

struct frame *notice_busy(const char *detail, uint64_t retry_ms)
{
	struct buf b;
	buf_init(&b, NOTICE_MAX_BYTES);
	int err = buf_append_str(&b, "{\"detail\":");
	err |= jsonspan_append_string(&b, detail, strlen(detail));
	err |= buf_append_char(&b, '}');
	return finish(&b, err, "sse.busy", retry_ms, no_id);
}
