/* log_redis_inside: what the files of log_redis share: log_append publishes, log_control tells the
 * streamers. */
#ifndef TIDINGS_PUBLISHER_LOG_REDIS_INSIDE_H
#define TIDINGS_PUBLISHER_LOG_REDIS_INSIDE_H

#include <stdint.h>
#include "publisher/log.h"
#include "publisher/trouble.h"

struct config;
struct partition_log;
struct servers;

#define LOG_NONCE_BYTES 32 /* as text */

struct log_redis {
	const struct config *config;
	struct servers *servers;
	struct trouble trouble;
	unsigned partitions;         /* of a Cluster; 0: none */
	struct partition_log **logs; /* of each partition, from when it is needed; else of one */
	char own_key[LOG_NONCE_BYTES + 1]; /* under which our own requests are remembered; "": not
					      made yet */
	uint64_t requests;                 /* of our own so far */
};

/* To find a partition's tag takes time when there are many: it is done for those that are used.
 * NULL, which the trouble knows of, when out of memory. */
struct partition_log *log_redis_partition(struct log_redis *l, unsigned partition);

/* A random text that nobody else has. Returns 0, or -EIO, which the trouble knows of. */
int log_redis_nonce(struct log_redis *l, char out[LOG_NONCE_BYTES + 1]);

/* The functions of struct publish_log. */
enum publish_log_outcome log_redis_append(void *ctx, const struct publish_log_request *request,
					  struct event_id *ids,
					  struct publish_log_refusal *refusal);
enum publish_log_outcome log_redis_control(void *ctx, const struct control *message,
					   uint64_t *heard, struct publish_log_refusal *refusal);

#endif
