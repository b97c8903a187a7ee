/* delivery: an event on its way into one listener's queue. */
#ifndef TIDINGS_STREAMER_DELIVERY_H
#define TIDINGS_STREAMER_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>
struct frame;
struct leg;
struct stream;

/* Neither does its filter keep the event from the stream, nor does that get it by another copy. */
bool delivery_wants(const struct stream *st, const struct frame *f);

/* One event of a topic of the leg, which is live; serial: the topic's. A copy of one that it was
 * sent is passed over. */
void delivery_event(struct leg *leg, struct frame *f, uint64_t serial);

/* The leg is not live, and topic has brought n events: they are counted, if they are dropped. */
void delivery_passed_over(struct leg *leg, uint64_t serial, unsigned n);

/* The leg has just become live: what came since that number of recent, and is above its
 * position. foreign: what has no id is for it too. */
void delivery_catch_up(struct leg *leg, uint64_t since, bool foreign);

/* One missed event, which is above its position. */
void delivery_replay(struct leg *leg, struct frame *f);

#endif
