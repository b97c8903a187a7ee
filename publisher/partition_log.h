/* partition_log: the log of one partition of a Cluster, or of all of one Redis: one append to it,
 * and what is known of it from earlier ones. */
#ifndef TIDINGS_PUBLISHER_PARTITION_LOG_H
#define TIDINGS_PUBLISHER_PARTITION_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/redis_address.h"
#include "common/topic.h"
#include "publisher/log.h"

struct config;
struct servers;
struct trouble;

struct partition_log {
	struct topic_space space;
	unsigned slot;                             /* on a Cluster */
	struct event_id acknowledged;              /* the highest id that we got; zero: none */
	char acknowledged_by[REDIS_ADDRESS_BYTES]; /* the name of the server that gave it */
};

struct partition_append {
	struct partition_log *log;
	struct servers *servers;
	struct trouble *trouble;
	const struct config *config;
	const struct publish_log_request *request; /* of which all topics are in this partition */
	struct span once, known_as;                /* as in append_call.h */
	uint64_t rate_limit;                       /* to be counted with it; 0: none */
	bool sharded;
	int64_t deadline;

	struct event_id *ids; /* room for that of each event; written when it is DONE */
	uint64_t wait_ms;     /* on LIMITED */
};

/* Calls the script, and waits for replicas when config wants any. Why it failed is in *trouble. */
enum publish_log_outcome partition_append(struct partition_append *a);

#endif
