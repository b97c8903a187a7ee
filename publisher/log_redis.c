/* log_redis: see log_redis.h. What log_append and log_control do they do with what is kept here.
 * Owns the connections, and what is known of each partition. */
#include "publisher/log_redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/partition.h"
#include "common/redis_login.h"
#include "publisher/config.h"
#include "publisher/log.h"
#include "publisher/log_redis_inside.h"
#include "publisher/partition_log.h"
#include "publisher/servers.h"

struct log_redis *log_redis_new(const struct config *config)
{
	struct log_redis *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->config = config;
	if (config->redis->url.kind == REDIS_CLUSTER)
		l->partitions = config->partitions;
	l->logs = calloc(l->partitions ? l->partitions : 1, sizeof(*l->logs));
	l->servers = servers_new(config->redis);
	if (l->logs && l->servers)
		return l;
	log_redis_free(l);
	return NULL;
}

void log_redis_free(struct log_redis *l)
{
	if (!l)
		return;
	for (unsigned i = 0; l->logs && i < (l->partitions ? l->partitions : 1); i++)
		free(l->logs[i]);
	free(l->logs);
	servers_free(l->servers);
	free(l);
}

struct partition_log *log_redis_partition(struct log_redis *l, unsigned partition)
{
	struct partition_log *log = l->logs[partition];
	char tag[PARTITION_TAG_BYTES] = "";

	if (log)
		return log;
	l->logs[partition] = log = calloc(1, sizeof(*log));
	if (!log) {
		trouble_tell(&l->trouble, "out of memory", "");
		return NULL;
	}
	if (l->partitions)
		log->slot = partition_tag(partition, l->partitions, tag);
	topic_space_init(&log->space, l->config->topic_prefix, tag);
	return log;
}

int log_redis_nonce(struct log_redis *l, char out[LOG_NONCE_BYTES + 1])
{
	unsigned char nonce[LOG_NONCE_BYTES / 2];

	if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce)) {
		trouble_tell(&l->trouble, "the system gives no random numbers", "getrandom");
		return -EIO;
	}
	for (size_t i = 0; i < sizeof(nonce); i++)
		snprintf(out + 2 * i, 3, "%02x", nonce[i]);
	return 0;
}

/* ---- the health check ---- */

/* The time begins when the slots are found. */
static enum redis_sync_status check_partitions(struct log_redis *l)
{
	unsigned slots[PARTITION_MAX];

	for (unsigned i = 0; i < l->partitions; i++) {
		struct partition_log *log = log_redis_partition(l, i);

		if (!log)
			return REDIS_SYNC_NOMEM;
		slots[i] = log->slot;
	}
	return servers_check(l->servers, slots, l->partitions,
			     redis_sync_now() + (int64_t)l->config->redis_timeout_ms);
}

static const char *ping(void *ctx)
{
	struct log_redis *l = ctx;
	enum redis_sync_status status = check_partitions(l);

	if (status == REDIS_SYNC_OK) {
		trouble_over(&l->trouble);
		return NULL;
	}
	trouble_tell_status(&l->trouble, status, servers_why(l->servers));
	return l->trouble.why;
}

struct publish_log log_redis_log(struct log_redis *l)
{
	return (struct publish_log){.ctx = l,
				    .partitions = l->partitions,
				    .append = log_redis_append,
				    .control = log_redis_control,
				    .ping = ping};
}
