/* auth_batch: one question to the auth URL about many topics, and its answer (docs/PROTOCOL.md).
 * Pure. */
#ifndef TIDINGS_STREAMER_AUTH_BATCH_H
#define TIDINGS_STREAMER_AUTH_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

struct buf;

/* The topics of a question: n of `which` out of `topics`. Borrowed. */
struct auth_batch {
	const struct span *topics;
	const uint16_t *which;
	size_t n;
};

/* Appends {"topics":["a","b"]}. Returns 0, -ENOBUFS, -ENOMEM. */
int auth_batch_format(const struct auth_batch *q, struct buf *b);

/* The most that a sound answer to it takes, however it escapes its characters. */
size_t auth_batch_answer_bytes(const struct auth_batch *q);

/* Reads {"allow":["a"],"deny":["b"]} into outcomes[n] (enum auth_outcome). Whoever stands in both
 * is denied, in neither busy. A list that is missing is empty; other members, and topics that were
 * not asked about, are passed over. False when it is no such answer; outcomes are then all busy. */
bool auth_batch_read(const struct auth_batch *q, struct span body, uint8_t *outcomes);

#endif
