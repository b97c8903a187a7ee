/* sse: bytes of the event stream (WHATWG HTML, section 9.2 "Server-sent events"): lines end with
 * LF; fields stand in the order retry, event, data, id; a block ends with an empty line. Each
 * function returns a frame with one reference that the caller owns, NULL when out of memory. */
#ifndef TIDINGS_STREAMER_SSE_H
#define TIDINGS_STREAMER_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/span.h"

struct buf;
struct frame;

/* Where an event comes from. Its spans are kept behind the frame's bytes. */
struct sse_source {
	bool cluster;
	unsigned partition; /* of a Cluster */
	struct span names;  /* of all topics of the event, each with a NUL, when they are in several
			       partitions */
	struct span topic, key; /* of an event with a key: the same ones and the same name mean the
				   same thing; key.at NULL: it has none */
};

/* One event of a topic. data is a JSON value as it came through Redis: a string is delivered as its
 * text, anything else byte for byte; line breaks (CR, LF, CRLF) begin a new data line. id zero: no
 * id line. from: NULL where there is one order of ids and no key. name is valid. */
struct frame *sse_event(struct span name, struct span data, struct event_id id,
			const struct sse_source *from);

/* The event name inside a frame of sse_event. */
struct span sse_event_name(const struct frame *f);

/* Appends the data of a frame of sse_event as a listener reads it: lines joined with LF. Returns 0,
 * -ENOBUFS, -ENOMEM. */
int sse_event_data(const struct frame *f, struct buf *b);

/* `retry: N`, in milliseconds (section 9.2.6: digits only). */
struct frame *sse_retry(uint64_t retry_ms);

/* A named event of ours with one line of JSON, and with `retry:` before it when retry_ms is not 0,
 * and with an id line when there is a cursor. */
struct frame *sse_notice(const char *name, struct span json, uint64_t retry_ms, struct span cursor);

/* A position alone: EventSource stores it and fires nothing. It may also follow the body of an
 * event. */
struct frame *sse_position(struct span cursor);

/* `: ping`, a comment; shared by all, never freed. */
struct frame *sse_heartbeat_comment(void);

/* `event: ping` with {"timestamp":seconds}. */
struct frame *sse_heartbeat_event(uint64_t unix_seconds);

#endif
