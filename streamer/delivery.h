/* delivery: events on their way from Redis to the listeners. */
#ifndef TIDINGS_STREAMER_DELIVERY_H
#define TIDINGS_STREAMER_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include "common/span.h"

struct frame;
struct leg;
struct partition;
struct stream;

/* One message of a subscribed channel. What is no event is counted and passed over. */
void delivery_message(struct partition *in, struct span channel, struct span payload);

/* Neither does its filter keep the event from the stream, nor does that get it by another copy. */
bool delivery_wants(const struct stream *st, const struct frame *f);

/* The leg has just become live: what came since that number of recent, and is above its
 * position. foreign: what has no id is for it too. */
void delivery_catch_up(struct leg *leg, uint64_t since, bool foreign);

/* One missed event, which is above its position. */
void delivery_replay(struct leg *leg, struct frame *f);

#endif
