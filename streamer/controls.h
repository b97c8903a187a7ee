/* controls: control messages (common/control.h) meet streams. */
#ifndef TIDINGS_STREAMER_CONTROLS_H
#define TIDINGS_STREAMER_CONTROLS_H

#include "common/span.h"

struct log_answer;
struct streams;

/* Returns 0 or -ENOMEM. */
int controls_init(struct streams *all);
void controls_done(struct streams *all);

/* A message on the control channel; what was published before it has been delivered. A copy of one
 * that was obeyed is passed over, as is what can't be read, which is counted and logged. */
void controls_message(struct streams *all, struct span message);

/* The revocations in force, as an answer of Redis tells them. Where messages were missed
 * (all->missed), nothing that the auth URL has said counts any more. */
void controls_learn(struct streams *all, const struct log_answer *a);

#endif
