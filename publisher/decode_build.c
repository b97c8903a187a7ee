/* decode_build: see decode_build.h. Keeps the rules that hold for a member whichever way it came,
 * and the memory of a publication: events, topics, and blocks for text that could not stay where it
 * was in the body. */
#include "publisher/decode_build.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/topic.h"
#include "common/utf8.h"
#include "publisher/response.h"

#define BLOCK_BYTES  4096
#define SHOWN_BYTES  80
#define TOPICS_FIRST 8

struct decode_block {
	struct decode_block *next;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
};

const char *member_name(enum member m)
{
	static const char *const names[MEMBER_COUNT] = {
		[MEMBER_TOPIC] = "topic", [MEMBER_TOPICS] = "topics",
		[MEMBER_EVENT] = "event", [MEMBER_DATA] = "data",
		[MEMBER_KEY] = "key",     [MEMBER_IDEMPOTENCY_KEY] = "idempotency_key",
	};

	return names[m];
}

/* ---- refusing ---- */

int build_shown(struct span text)
{
	size_t len = text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES;

	while (len > 0 && !utf8_valid(text.at, len))
		len--;
	return (int)len;
}

void build_path(bool batch, size_t index, struct span name, char *path)
{
	int n = batch ? snprintf(path, BUILD_PATH_BYTES, "events[%zu]%s", index,
				 name.len > 0 ? "." : "")
		      : 0;

	snprintf(path + n, (size_t)(BUILD_PATH_BYTES - n), "%.*s", build_shown(name), name.at);
}

size_t build_index(const struct decode_build *b)
{
	return (size_t)(b->event - b->p->events);
}

int build_refuse(struct decode_build *b, unsigned status, enum member m, const char *format, ...)
{
	char path[BUILD_PATH_BYTES], detail[512];
	va_list args;

	build_path(b->p->batch, build_index(b), span_of(member_name(m)), path);
	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	response_error(b->r, status, path, "%s", detail);
	return -1;
}

int build_out_of_memory(struct decode_build *b)
{
	response_error(b->r, 503, NULL, "out of memory");
	return -1;
}

/* ---- memory ---- */

void *build_alloc(struct decode_build *b, size_t size)
{
	struct decode_block *block = b->p->memory;
	const size_t align = _Alignof(max_align_t);

	if (size > SIZE_MAX / 2) {
		build_out_of_memory(b);
		return NULL;
	}
	size = (size + align - 1) / align * align;
	if (!block || size > block->size - block->used) {
		size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

		block = malloc(sizeof(*block) + room);
		if (!block) {
			build_out_of_memory(b);
			return NULL;
		}
		*block = (struct decode_block){.next = b->p->memory, .size = room};
		b->p->memory = block;
	}
	block->used += size;
	return block->bytes + block->used - size;
}

void publication_done(struct publication *p)
{
	while (p->memory) {
		struct decode_block *next = p->memory->next;

		free(p->memory);
		p->memory = next;
	}
	free(p->topics);
	free(p->events);
	*p = (struct publication){0};
}

/* ---- events ---- */

int build_events(struct decode_build *b, size_t n, bool batch)
{
	b->p->batch = batch;
	b->p->events = calloc(n, sizeof(*b->p->events));
	if (!b->p->events)
		return build_out_of_memory(b);
	b->p->n_events = n;
	return 0;
}

void build_begin(struct decode_build *b, size_t index)
{
	b->event = &b->p->events[index];
	b->event->name = span_of("message");
	b->event->data = span_of("{}");
	b->named = 0;
	memset(b->given, 0, sizeof(b->given));
}

int build_give(struct decode_build *b, enum member m)
{
	if (b->given[m])
		return build_refuse(b, 422, m, "%s is given twice", member_name(m));
	b->given[m] = true;
	if (b->given[MEMBER_TOPIC] && b->given[MEMBER_TOPICS])
		return build_refuse(b, 422, MEMBER_TOPICS, "give either topic or topics, not both");
	return 0;
}

static bool has_topic(const struct decode_build *b, struct span topic)
{
	for (size_t i = b->p->n_topics - b->event->n_topics; i < b->p->n_topics; i++) {
		if (span_equal(b->p->topics[i], topic))
			return true;
	}
	return false;
}

/* There are at most DECODE_MAX_COPIES. */
static int append_topic(struct decode_build *b, struct span topic)
{
	if (b->p->n_topics == b->cap_topics) {
		size_t cap = b->cap_topics ? b->cap_topics * 2 : TOPICS_FIRST;
		struct span *grown = realloc(b->p->topics, cap * sizeof(*grown));

		if (!grown)
			return build_out_of_memory(b);
		b->p->topics = grown;
		b->cap_topics = cap;
	}
	b->p->topics[b->p->n_topics++] = topic;
	b->event->n_topics++;
	return 0;
}

static int refuse_topic(struct decode_build *b, enum member m, long index, struct span topic)
{
	char name[32], path[BUILD_PATH_BYTES];
	int shown = build_shown(topic);

	snprintf(name, sizeof(name), index < 0 ? "%s" : "%s[%ld]", member_name(m), index);
	build_path(b->p->batch, build_index(b), span_of(name), path);
	if (topic_reserved(topic.at, topic.len))
		response_error(b->r, 422, path, "topics that begin with sse: are reserved");
	else
		response_error(b->r, 422, path, "\"%.*s%s\" is no topic: it takes " TOPIC_RULE,
			       shown, topic.at, (size_t)shown < topic.len ? "..." : "");
	return -1;
}

int build_topic(struct decode_build *b, enum member m, long index, struct span topic)
{
	if (!topic_valid(topic.at, topic.len) || topic_reserved(topic.at, topic.len))
		return refuse_topic(b, m, index, topic);
	if (b->named++ == DECODE_MAX_TOPICS)
		return build_refuse(b, 422, m, "an event goes to %d topics at most",
				    DECODE_MAX_TOPICS);
	if (b->named_in_all++ == DECODE_MAX_COPIES)
		return build_refuse(
			b, 422, m,
			"the events of one request go to %d topics at most, taken together",
			DECODE_MAX_COPIES);
	if (has_topic(b, topic))
		return 0;
	return append_topic(b, topic);
}

int build_name(struct decode_build *b, struct span name)
{
	if (!event_name_valid(name.at, name.len))
		return build_refuse(b, 422, MEMBER_EVENT,
				    "an event name takes 1 to %d bytes of UTF-8 without control "
				    "characters",
				    EVENT_NAME_MAX_BYTES);
	if (event_name_reserved(name.at, name.len))
		return build_refuse(b, 422, MEMBER_EVENT,
				    "event names that begin with sse. are reserved");
	b->event->name = name;
	return 0;
}

int build_key(struct decode_build *b, struct span key)
{
	if (key.len == 0 || key.len > EVENT_KEY_MAX_BYTES || utf8_has_control(key.at, key.len))
		return build_refuse(b, 422, MEMBER_KEY,
				    "a key takes 1 to %d bytes without control characters",
				    EVENT_KEY_MAX_BYTES);
	b->event->key = key;
	return 0;
}

int build_idempotency_key(struct decode_build *b, struct span key)
{
	if (b->p->batch)
		return build_refuse(b, 422, MEMBER_IDEMPOTENCY_KEY,
				    "for a batch the header Idempotency-Key is used, not a member");
	b->p->idempotency_key = key;
	return decode_check_idempotency_key(key, member_name(MEMBER_IDEMPOTENCY_KEY), b->r);
}

int build_end(struct decode_build *b)
{
	if (b->event->n_topics == 0)
		return build_refuse(b, 422, b->given[MEMBER_TOPICS] ? MEMBER_TOPICS : MEMBER_TOPIC,
				    "there is no topic: say where the event goes");
	return 0;
}
