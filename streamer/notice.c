/* notice: builds the JSON of our own events. When to say them is streams.c's. */
#include "streamer/notice.h"

#include "common/buf.h"
#include "common/jsonspan.h"
#include "streamer/hub.h"
#include "streamer/replay.h"
#include "streamer/sse.h"

#define NOTICE_MAX_BYTES ((size_t)1024 * 1024) /* 1024 topics of 200 bytes fit */

static const struct event_id no_id;

int notice_append_topics(struct buf *b, const struct subscription *topics, size_t n,
			 const struct replay *only)
{
	int err = buf_append_char(b, '[');
	bool first = true;

	for (size_t i = 0; i < n && !err; i++) {
		const struct topic *t = topics[i].topic;
		if (only && !only->topics[i].fresh)
			continue;
		if (!first)
			err |= buf_append_char(b, ',');
		err |= jsonspan_append_string(b, t->name, t->name_len);
		first = false;
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

struct frame *notice_open(const struct subscription *topics, size_t n, const struct replay *r,
			  struct event_id position)
{
	struct buf b;
	buf_init(&b, NOTICE_MAX_BYTES);
	int err = buf_append_str(&b, "{\"topics\":");
	err |= notice_append_topics(&b, topics, n, NULL);
	err |= buf_printf(&b, ",\"resumed\":%s,\"replayed\":%llu,\"reset\":",
			  r && replay_resumes(r) ? "true" : "false",
			  (unsigned long long)(r ? r->count : 0));
	err |= r ? notice_append_topics(&b, topics, n, r) : buf_append_str(&b, "[]");
	err |= buf_append_char(&b, '}');
	return finish(&b, err, "sse.open", 0, position);
}

struct frame *notice_reset(const struct subscription *topics, const struct replay *r)
{
	struct buf b;
	enum replay_fault worst;

	buf_init(&b, NOTICE_MAX_BYTES);
	replay_untold(r, &worst);
	int err = buf_append_str(&b, "{\"topics\":");
	err |= notice_append_topics(&b, topics, r->n_topics, r);
	err |= buf_printf(&b, ",\"reason\":\"%s\"}", replay_fault_word(worst));
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
