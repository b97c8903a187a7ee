/* notice: the events of our own (`sse.…`): what they say, as frames. */
#ifndef TIDINGS_STREAMER_NOTICE_H
#define TIDINGS_STREAMER_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"

struct frame;
struct subscription;

/* sse.open with its id. reset: all topics will be named by the sse.reset that follows. NULL when
 * out of memory. */
struct frame *notice_open(const struct subscription *topics, size_t n, bool reset,
			  struct event_id position);

/* sse.reset, without id: fetch these topics anew. reason: one word. */
struct frame *notice_reset(const struct subscription *topics, size_t n, const char *reason);

/* sse.bye with `retry:`. */
struct frame *notice_bye(uint64_t retry_ms);

/* sse.busy inside a stream that has begun; the close follows. */
struct frame *notice_busy(const char *detail, uint64_t retry_ms);

#endif
