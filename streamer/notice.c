/* notice: builds the JSON of our own events. When to say them is streams.c's. */
#include "streamer/notice.h"

#include "common/buf.h"
#include "common/jsonspan.h"
#include "streamer/sse.h"

#define NOTICE_MAX_BYTES ((size_t)1024 * 1024) /* 1024 topics of 200 bytes fit */

static const struct span no_cursor;

int notice_append_topics(struct buf *b, const struct notice_topic *topics, size_t n, bool faulty)
{
	int err = buf_append_char(b, '[');
	bool first = true;

	for (size_t i = 0; i < n && !err; i++) {
		if (faulty && !topics[i].faulty)
			continue;
		if (!first)
			err |= buf_append_char(b, ',');
		err |= jsonspan_append_string(b, topics[i].name.at, topics[i].name.len);
		first = false;
	}
	return err | buf_append_char(b, ']');
}

static struct frame *finish(struct buf *b, int err, const char *name, uint64_t retry_ms,
			    struct span cursor)
{
	struct frame *f = NULL;
	if (!err)
		f = sse_notice(name, (struct span){b->data, b->len}, retry_ms, cursor);
	buf_done(b);
	return f;
}

struct frame *notice_open(const struct notice_topic *topics, size_t n, bool resumed,
			  uint64_t replayed, struct span cursor)
{
	struct buf b;
	buf_init(&b, NOTICE_MAX_BYTES);
	int err = buf_append_str(&b, "{\"topics\":");
	err |= notice_append_topics(&b, topics, n, false);
	err |= buf_printf(&b, ",\"resumed\":%s,\"replayed\":%llu,\"reset\":",
			  resumed ? "true" : "false", (unsigned long long)replayed);
	err |= notice_append_topics(&b, topics, n, true);
	err |= buf_append_char(&b, '}');
	return finish(&b, err, "sse.open", 0, cursor);
}

struct frame *notice_reset(const struct notice_topic *topics, size_t n, const char *reason)
{
	struct buf b;

	buf_init(&b, NOTICE_MAX_BYTES);
	int err = buf_append_str(&b, "{\"topics\":");
	err |= notice_append_topics(&b, topics, n, true);
	err |= buf_printf(&b, ",\"reason\":\"%s\"}", reason);
	return finish(&b, err, "sse.reset", 0, no_cursor);
}

struct frame *notice_revoked(const struct notice_topic *topics, size_t n, uint64_t retry_ms)
{
	struct buf b;

	buf_init(&b, NOTICE_MAX_BYTES);
	int err = buf_append_str(&b, "{\"topics\":");
	err |= notice_append_topics(&b, topics, n, true);
	err |= buf_append_char(&b, '}');
	return finish(&b, err, "sse.revoked", retry_ms, no_cursor);
}

struct frame *notice_bye(uint64_t retry_ms)
{
	return sse_notice("sse.bye", span_of("{}"), retry_ms, no_cursor);
}

struct frame *notice_expired(uint64_t retry_ms)
{
	return sse_notice("sse.expired", span_of("{}"), retry_ms, no_cursor);
}

struct frame *notice_busy(const char *detail, uint64_t retry_ms)
{
	struct buf b;
	buf_init(&b, NOTICE_MAX_BYTES);
	int err = buf_append_str(&b, "{\"detail\":");
	err |= jsonspan_append_string(&b, detail, strlen(detail));
	err |= buf_append_char(&b, '}');
	return finish(&b, err, "sse.busy", retry_ms, no_cursor);
}
