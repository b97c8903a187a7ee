/* delivery: events on their way from Redis to the listeners. */
#ifndef TIDINGS_STREAMER_DELIVERY_H
#define TIDINGS_STREAMER_DELIVERY_H

#include "common/span.h"

struct stream;
struct streams;

/* One message of a subscribed channel. What is no event is counted and passed over. */
void delivery_message(struct streams *all, struct span channel, struct span payload);

/* The stream has just become live: what came since its position was asked for, and is above it. */
void delivery_catch_up(struct stream *st);

#endif
