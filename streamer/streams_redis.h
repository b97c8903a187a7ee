/* streams_redis: the streams' link to Redis. */
#ifndef TIDINGS_STREAMER_STREAMS_REDIS_H
#define TIDINGS_STREAMER_STREAMS_REDIS_H

#include "streamer/redis_link.h"

struct streams;

/* Makes the link that `streams` subscribes and takes positions through; the caller's, freed with
 * redis_link_free after the last stream is gone. NULL when out of memory. */
struct redis_link *streams_redis_new(struct ev_loop *loop, const struct redis_link_config *config,
				     struct streams *streams);

#endif
