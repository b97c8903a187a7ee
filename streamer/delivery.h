/* delivery: events on their way from Redis to the listeners. */
#ifndef TIDINGS_STREAMER_DELIVERY_H
#define TIDINGS_STREAMER_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
#include "common/span.h"

struct frame;
struct stream;
struct streams;

/* One message of a subscribed channel. What is no event is counted and passed over. */
void delivery_message(struct streams *all, struct span channel, struct span payload);

/* The stream has just become live: what came since that number of recent, and is above its
 * position. foreign: what has no id is for it too. */
void delivery_catch_up(struct stream *st, uint64_t since, bool foreign);

/* One missed event, which is above its position. */
void delivery_replay(struct stream *st, struct frame *f);

#endif
