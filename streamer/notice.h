/* notice: the events of our own (`sse.…`): what they say, as frames. */
#ifndef TIDINGS_STREAMER_NOTICE_H
#define TIDINGS_STREAMER_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"

struct buf;
struct frame;
struct replay;
struct subscription;

/* sse.open with its id. r: what is replayed and which topics can't be, by the faults that were not
 * told yet; NULL: nobody brought a cursor. NULL when out of memory. */
struct frame *notice_open(const struct subscription *topics, size_t n, const struct replay *r,
			  struct event_id position);

/* sse.reset, without id: fetch the topics of the faults that were not told yet anew. */
struct frame *notice_reset(const struct subscription *topics, const struct replay *r);

/* Appends the JSON array of these topics' names; only: of those alone whose faults were not told
 * yet. Returns 0 or what buf_append does. */
int notice_append_topics(struct buf *b, const struct subscription *topics, size_t n,
			 const struct replay *only);

/* sse.bye with `retry:`. */
struct frame *notice_bye(uint64_t retry_ms);

/* sse.busy inside a stream that has begun; the close follows. */
struct frame *notice_busy(const char *detail, uint64_t retry_ms);

#endif
