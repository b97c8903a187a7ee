/* revoke: a stream loses topics while it flows. */
#ifndef TIDINGS_STREAMER_REVOKE_H
#define TIDINGS_STREAMER_REVOKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

struct stream;

/* Of the topics of st, which was admitted, those that `lost` names are its no more: it is told by
 * sse.revoked, and hears nothing that comes from now on. With none left it ends, and may come back
 * after retry_ms. Returns how many were lost. */
size_t stream_revoke(struct stream *st, bool (*lost)(void *arg, struct span topic), void *arg,
		     uint64_t retry_ms);

/* All of them. */
size_t stream_revoke_all(struct stream *st, uint64_t retry_ms);

/* When so many streams end at once, where each of them may be told to come back: not much more than
 * a thousand in a second. */
uint64_t revoke_retry(const struct stream *st, size_t n);

#endif
