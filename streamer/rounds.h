/* rounds: one question to the logs at a time, for all streams that are ready for one. Its answer is
 * a position for those who begin, and the tails of the topics of those who missed something; tails
 * serve for a while whoever comes with the same topics. Each question also looks whether events got
 * lost on the way that no disconnect announced. */
#ifndef TIDINGS_STREAMER_ROUNDS_H
#define TIDINGS_STREAMER_ROUNDS_H

struct log_answer;
struct partition;
struct streams;
struct topic;

#include <stdbool.h>
#include <stdint.h>
#include "common/cursor.h"

/* Serves who can be served without Redis, and asks for the others when no question is out. */
void rounds_go_on(struct partition *in);

/* The open question was answered; NULL: it failed. */
void rounds_answer(struct partition *in, const struct log_answer *a);

/* The barrier of that number came back. */
void rounds_barrier(struct partition *in, uint64_t number);

/* An event of t above `known` did not come: its streams look for it in the log. */
void rounds_hole(struct partition *in, struct topic *t, struct event_id known);

/* t dies. */
void rounds_forget_topic(struct partition *in, struct topic *t);

/* The subscriptions are gone: nothing that was read goes together with what will come. */
void rounds_break(struct partition *in);

/* Four times a second: tails grow old. */
void rounds_tick(struct partition *in);

#endif
