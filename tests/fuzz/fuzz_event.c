/* fuzz_event: whatever stands in a Redis channel is refused or becomes an event that can be
 * delivered; encoding what was decoded gives the same event again. */
#include <string.h>

#include "common/buf.h"
#include "common/event.h"
#include "common/jsonspan.h"
#include "tests/fuzz/fuzz.h"

static void append_span(struct buf *b, struct span s)
{
	MUST(buf_append(b, s.at, s.len) == 0);
}

/* The message as publish and the script would have written it. */
static void encode(const struct event_message *m, struct buf *message)
{
	static const struct span topics[] = {{"a", 1}, {"b", 1}};
	struct event event = {.name = m->name, .data = m->data, .topics = topics, .n_topics = 1};
	char id[EVENT_ID_MAX_BYTES + 1], *key = NULL;
	struct event_parts parts;
	struct buf b;

	if (m->key.at) {
		key = malloc(m->key.len);
		MUST(key);
		event.key = (struct span){key, jsonspan_unescape(m->key, key)};
	}
	if (m->topics.at)
		event.n_topics = 2;
	buf_init(&b, SIZE_MAX);
	MUST(event_encode(&event, &b, &parts) == 0);
	append_span(message, parts.head);
	append_span(message, (struct span){id, event_id_format(m->id, id)});
	append_span(message, parts.middle);
	append_span(message, (struct span){id, event_id_format(m->prev, id)});
	append_span(message, parts.tail);
	MUST(message->len <= event_message_bytes(&parts));
	buf_done(&b);
	free(key);
}

static void check_decoded(const struct event_message *m)
{
	struct event_message again;
	struct buf message, text;

	MUST(event_name_valid(m->name.at, m->name.len));
	MUST(!event_name_reserved(m->name.at, m->name.len));
	MUST(jsonspan_check(m->data.at, m->data.len, EVENT_DATA_DEPTH, NULL) == JSONSPAN_OK);
	MUST(m->ours ||
	     (event_id_is_zero(m->id) && event_id_is_zero(m->prev) && !m->key.at && !m->topics.at));
	buf_init(&text, m->data.len);
	MUST(event_data_text(m->data, &text) == 0);
	buf_done(&text);

	buf_init(&message, SIZE_MAX);
	encode(m, &message);
	MUST(event_decode(message.data, message.len, &again) == EVENT_OK);
	MUST(again.ours && span_equal(again.name, m->name) && span_equal(again.data, m->data));
	MUST(event_id_compare(again.id, m->id) == 0 && event_id_compare(again.prev, m->prev) == 0);
	MUST((again.key.at != NULL) == (m->key.at != NULL));
	MUST((again.topics.at != NULL) == (m->topics.at != NULL));
	event_message_done(&again);
	buf_done(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct event_message m;

	if (event_decode((const char *)bytes, len, &m) != EVENT_OK)
		return 0;
	check_decoded(&m);
	event_message_done(&m);
	return 0;
}
