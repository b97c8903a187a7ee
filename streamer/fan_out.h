/* fan_out: from the batch to the listeners. */
#ifndef TIDINGS_STREAMER_FAN_OUT_H
#define TIDINGS_STREAMER_FAN_OUT_H

#include <stddef.h>

struct frame;
struct streams;
struct topic;

/* Keeps a reference to an event of t, which has listeners, for the next fan_out. */
void fan_out_later(struct streams *all, struct topic *t, struct frame *f);

/* Hands everything that is kept to its listeners. To be called before anything is done to a stream
 * that may change what it is to get. Returns how many listeners were served. */
size_t fan_out(struct streams *all);

#endif
