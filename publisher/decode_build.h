/* decode_build: what decoding a JSON body and decoding a form have in common: the publication under
 * construction. Only the decode modules include it. Functions that return int give 0, or -1 when
 * the answer in b->r says why. */
#ifndef TIDINGS_PUBLISHER_DECODE_BUILD_H
#define TIDINGS_PUBLISHER_DECODE_BUILD_H

#include "publisher/decode.h"

/* The members of an event, under the names that both forms of body use. */
enum member {
	MEMBER_TOPIC,
	MEMBER_TOPICS,
	MEMBER_EVENT,
	MEMBER_DATA,
	MEMBER_KEY,
	MEMBER_IDEMPOTENCY_KEY,
	MEMBER_COUNT,
};

#define MEMBERS_IN_WORDS "topic or topics, event, data, key, idempotency_key"

struct decode_build {
	struct publication *p;
	struct response *r;
	size_t max_message;
	struct event *event; /* the one under construction */
	size_t cap_topics;
	size_t named, named_in_all; /* topics of this event and of all, doubles too */
	bool given[MEMBER_COUNT];   /* which members it has had */
};

const char *member_name(enum member m);

/* Makes room for n events; they are begun in their order. */
int build_events(struct decode_build *b, size_t n, bool batch);
void build_begin(struct decode_build *b, size_t index);

/* The member is there: refuses it the second time, and `topic` beside `topics`. */
int build_give(struct decode_build *b, enum member m);

/* index: of an element of `topics`, or -1. Doubles are passed over, but counted: looking for them
 * takes time. */
int build_topic(struct decode_build *b, enum member m, long index, struct span topic);
int build_name(struct decode_build *b, struct span name);
int build_key(struct decode_build *b, struct span key);
int build_idempotency_key(struct decode_build *b, struct span key);

/* The event is complete: it must have a topic. */
int build_end(struct decode_build *b);

/* Memory that lives as long as the publication, aligned for anything; NULL with the 503 in b->r. */
void *build_alloc(struct decode_build *b, size_t size);

#define BUILD_PATH_BYTES 128

/* Where in the request something stands: `events[3].topic` in a batch, else `topic`, for the field
 * of an error. An empty name means the event itself; path[BUILD_PATH_BYTES]. */
void build_path(bool batch, size_t index, struct span name, char *path);

/* The place of the event under construction. */
size_t build_index(const struct decode_build *b);

/* Refuses a member of the event under construction, with its path. Returns -1. */
int build_refuse(struct decode_build *b, unsigned status, enum member m, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int build_out_of_memory(struct decode_build *b);

/* How much of text from outside is shown in a message: at most 80 bytes, whole characters of UTF-8.
 */
int build_shown(struct span text);

/* The two forms of a body. */
int decode_json(struct decode_build *b, struct span body);
int decode_form(struct decode_build *b, struct span body, enum charset charset);

#endif
