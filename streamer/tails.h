/* tails: the tails of a partition's topics. */
#ifndef TIDINGS_STREAMER_TAILS_H
#define TIDINGS_STREAMER_TAILS_H

#include <stdbool.h>
#include <stddef.h>

struct leg;
struct log_answer;
struct partition;
struct tail;
struct topic;

#define TAILS_BYTES ((size_t)64 * 1024 * 1024) /* of all that are kept */

/* Makes the tails of the open question's topics out of its answer. Returns 0 or -ENOMEM. */
int tails_make(struct partition *in, const struct log_answer *a);

/* Those of the open question are kept, or dropped when the answer was not whole. */
void tails_keep(struct partition *in, bool whole);

/* The tail of one topic, if it has one. */
void tails_drop(struct partition *in, struct topic *t);

/* Drops those that are due at `now`, and the oldest beyond so many bytes. Without any, and without
 * an open question, nothing is recorded any more. */
void tails_expire(struct partition *in, double now, size_t most_bytes);

/* One of the leg's tails, when all of its topics have one, of the same question, that reaches
 * from its position on; else NULL. */
const struct tail *tails_shared(const struct leg *leg);

#endif
