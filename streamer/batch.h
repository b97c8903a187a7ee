/* batch: the events of one read from Redis, in the order in which they came, until they go out
 * together: each listener is sent all that its topic brought in one write. */
#ifndef TIDINGS_STREAMER_BATCH_H
#define TIDINGS_STREAMER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/buf.h"
#include "common/cursor.h"

struct frame;
struct topic;

#define BATCH_EVENTS       64
#define BATCH_JOINED_BYTES ((size_t)256 * 1024)

struct batch_event {
	struct topic *topic;
	struct frame *frame; /* one reference */
	uint8_t next;        /* number + 1 of the topic's next one; 0: it is the last */
	bool first;          /* of its topic */
};

struct batch {
	unsigned n, n_topics;
	struct batch_event events[BATCH_EVENTS];
	struct frame *gathered[BATCH_EVENTS]; /* of the last burst */
	struct buf joined;                    /* likewise */
};

/* What one topic brought. Views into the batch, until it changes or the next one is taken. */
struct burst {
	struct frame *const *frames;
	unsigned n;
	const char *bytes; /* of all of them, one behind the other; NULL: too many to be joined */
	size_t len;
	struct event_id first, last; /* ids of the first and the last that have one, else zero */
};

void batch_init(struct batch *b);
void batch_done(struct batch *b);

static inline bool batch_full(const struct batch *b)
{
	return b->n == BATCH_EVENTS;
}

/* Takes a reference of its own. The batch is not full; t has listeners, and stays until
 * batch_clear. */
void batch_add(struct batch *b, struct topic *t, struct frame *f);

/* What the topic of event i, its first one, brought. */
void batch_burst(struct batch *b, unsigned i, struct burst *out);

void batch_clear(struct batch *b);

#endif
