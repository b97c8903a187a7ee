/* partition_control: one control message to one partition of a Cluster, or to all of one Redis. */
#ifndef TIDINGS_PUBLISHER_PARTITION_CONTROL_H
#define TIDINGS_PUBLISHER_PARTITION_CONTROL_H

#include "publisher/control_call.h"
#include "publisher/log.h"

struct servers;
struct trouble;

struct partition_control {
	struct servers *servers;
	struct trouble *trouble; /* gets to know why it failed */
	struct control_call call;
	unsigned slot;          /* on a Cluster */
	uint64_t wait_replicas; /* for a revocation */
	int64_t deadline;

	uint64_t heard; /* when it is DONE: how many subscribers got it */
};

/* DONE, REFUSED, UNKNOWN or UNSAFE. */
enum publish_log_outcome partition_control(struct partition_control *p);

#endif
