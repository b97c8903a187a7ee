/* arrival: messages of Redis become events. */
#ifndef TIDINGS_STREAMER_ARRIVAL_H
#define TIDINGS_STREAMER_ARRIVAL_H

#include "common/span.h"

struct partition;

/* One message of a subscribed channel: it is kept for the next fan_out. What is no event is counted
 * and passed over. */
void arrival_message(struct partition *in, struct span channel, struct span payload);

#endif
