/* frame: immutable bytes in one block, shared by every queue that still has to send them. */
#ifndef TIDINGS_STREAMER_FRAME_H
#define TIDINGS_STREAMER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"

#define FRAME_STATIC UINT32_MAX /* refs of a frame that never dies */

struct frame {
	uint32_t refs;
	uint32_t len;
	bool event; /* an event of a topic: counts against max_queue_*; everything else is ours */
	uint8_t name_len;   /* of an event: its name stands behind "event: " (sse_event_name) */
	uint16_t partition; /* of an event: where its id is from */
	uint32_t body_len;  /* of an event: without its id line; who has another position than its
			       id alone gets a line of its own in the place of that */
	uint32_t names_len; /* bytes behind the others, never sent: see sse_event */
	uint32_t same_len;  /* bytes behind those, never sent either: of events that have the same
			       ones, not none, the latest says all that the others do */
	struct event_id id; /* of an event with an id line, else zero */
	char bytes[];
};

/* A frame with one reference whose `len` bytes the caller fills before anybody else sees it. NULL
 * when out of memory or len is above UINT32_MAX - sizeof(struct frame). */
struct frame *frame_new(size_t len);

/* The same with a copy of bytes. */
struct frame *frame_copy(const void *bytes, size_t len);

/* True when the later event says all that the earlier one does: it has its key. */
bool frame_replaces(const struct frame *later, const struct frame *earlier);

/* Returns f. */
struct frame *frame_ref(struct frame *f);

/* Frees at the last reference; NULL is fine. */
void frame_unref(struct frame *f);

#endif
