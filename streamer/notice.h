/* notice: the events of our own (`sse.…`): what they say, as frames. */
#ifndef TIDINGS_STREAMER_NOTICE_H
#define TIDINGS_STREAMER_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

struct buf;
struct frame;

/* One topic of a stream, in request order. */
struct notice_topic {
	struct span name;
	bool faulty; /* can't be resumed, which was not told yet */
};

/* sse.open with its cursor: the faulty topics are reset, so many events follow. NULL when out of
 * memory. */
struct frame *notice_open(const struct notice_topic *topics, size_t n, bool resumed,
			  uint64_t replayed, struct span cursor);

/* sse.reset, without id: fetch the faulty topics anew; reason: static. */
struct frame *notice_reset(const struct notice_topic *topics, size_t n, const char *reason);

/* Appends the JSON array of these topics' names; only the faulty ones, or all. Returns 0 or what
 * buf_append does. */
int notice_append_topics(struct buf *b, const struct notice_topic *topics, size_t n, bool faulty);

/* sse.bye with `retry:`. */
struct frame *notice_bye(uint64_t retry_ms);

/* sse.expired with `retry:`; the close follows. */
struct frame *notice_expired(uint64_t retry_ms);

/* sse.revoked: the faulty topics may not be heard any more. retry_ms: `retry:` with it, for the
 * close follows; 0: none, the others go on. */
struct frame *notice_revoked(const struct notice_topic *topics, size_t n, uint64_t retry_ms);

/* sse.busy inside a stream that has begun; the close follows. */
struct frame *notice_busy(const char *detail, uint64_t retry_ms);

#endif
