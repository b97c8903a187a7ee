/* fuzz_publish_body: a body becomes events that Redis and the streamer take, or an error in JSON.
 * The first byte says which kind of body the rest is. */
#include <string.h>

#include "common/buf.h"
#include "common/event.h"
#include "common/jsonspan.h"
#include "common/topic.h"
#include "publisher/decode.h"
#include "publisher/response.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_MESSAGE = 4096 };

static const char *content_type(uint8_t kind)
{
	switch (kind % 4) {
	case 0: return "application/json";
	case 1: return "application/x-www-form-urlencoded";
	case 2: return "application/x-www-form-urlencoded; charset=iso-8859-1";
	default: return "application/x-www-form-urlencoded; charset=windows-1252";
	}
}

static void append_span(struct buf *b, struct span s)
{
	MUST(buf_append(b, s.at, s.len) == 0);
}

/* What travels through Redis reads as the event that was published. */
static void check_event(const struct event *e)
{
	struct buf parts_text, message;
	struct event_message read;
	struct event_parts parts;

	MUST(e->n_topics > 0 && e->n_topics <= DECODE_MAX_TOPICS);
	for (size_t i = 0; i < e->n_topics; i++) {
		MUST(topic_valid(e->topics[i].at, e->topics[i].len));
		MUST(!topic_reserved(e->topics[i].at, e->topics[i].len));
		MUST(i == 0 || !span_equal(e->topics[i], e->topics[i - 1]));
	}
	buf_init(&parts_text, SIZE_MAX);
	buf_init(&message, SIZE_MAX);
	MUST(event_encode(e, &parts_text, &parts) == 0);
	append_span(&message, parts.head);
	append_span(&message, span_of("2-0"));
	append_span(&message, parts.middle);
	append_span(&message, span_of("1-0"));
	append_span(&message, parts.tail);
	MUST(event_decode(message.data, message.len, &read) == EVENT_OK);
	MUST(read.ours && span_equal(read.name, e->name) && span_equal(read.data, e->data));
	event_message_done(&read);
	buf_done(&message);
	buf_done(&parts_text);
}

static void check_error(const struct response *r)
{
	MUST(r->status == 400 || r->status == 413 || r->status == 422);
	MUST(jsonspan_check(r->body.data, r->body.len, 1, NULL) == JSONSPAN_OK);
	MUST(strncmp(r->body.data, "{\"detail\":\"", 11) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct decode_media media;
	struct publication p;
	struct response r;

	if (len == 0)
		return 0;
	response_init(&r);
	MUST(decode_content_type(content_type(bytes[0]), &media, &r) == 0);
	if (decode_body((struct span){(const char *)bytes + 1, len - 1}, &media, MAX_MESSAGE, &p,
			&r) == 0) {
		MUST(p.n_events > 0 && p.n_events <= DECODE_MAX_EVENTS &&
		     (p.batch || p.n_events == 1));
		for (size_t i = 0; i < p.n_events; i++)
			check_event(&p.events[i]);
	} else {
		check_error(&r);
	}
	publication_done(&p);
	response_done(&r);
	return 0;
}
