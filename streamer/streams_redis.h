/* streams_redis: the streams' side of Redis, whatever it is: one server, Sentinel's master, or a
 * Cluster. */
#ifndef TIDINGS_STREAMER_STREAMS_REDIS_H
#define TIDINGS_STREAMER_STREAMS_REDIS_H

#include <stdbool.h>
#include <stdint.h>

struct ev_loop;
struct redis_link_config;
struct streams;
struct streams_redis;

/* Makes what `streams` subscribes and takes positions through; ended after the last stream is gone.
 * config: login, topic_prefix, partitions, timeout_ms, max_message. NULL when out of memory. */
struct streams_redis *streams_redis_new(struct ev_loop *loop,
					const struct redis_link_config *config,
					struct streams *streams);
void streams_redis_free(struct streams_redis *r);

/* All partitions can be subscribed at, and positions be taken. */
bool streams_redis_ready(const struct streams_redis *r);

/* Counters since the start. */
uint64_t streams_redis_questions(const struct streams_redis *r);
uint64_t streams_redis_reconnects(const struct streams_redis *r);
uint64_t streams_redis_errors(const struct streams_redis *r);

#endif
