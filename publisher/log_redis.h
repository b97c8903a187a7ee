/* log_redis: the log of log.h in Redis, by append.lua and control.lua. */
#ifndef TIDINGS_PUBLISHER_LOG_REDIS_H
#define TIDINGS_PUBLISHER_LOG_REDIS_H

struct config;
struct log_redis;
struct publish_log;

/* Connects to nothing yet; config is borrowed for good. NULL when out of memory. */
struct log_redis *log_redis_new(const struct config *config);
void log_redis_free(struct log_redis *l);

/* Its face for handle; borrows from l. */
struct publish_log log_redis_log(struct log_redis *l);

#endif
