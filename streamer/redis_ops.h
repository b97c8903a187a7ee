/* redis_ops: what Redis tells those who listen to it, whatever stands behind: one server, one that
 * Sentinel names, or the nodes of a Cluster. Partitions are numbered from 0; without a Cluster
 * there is one. */
#ifndef TIDINGS_STREAMER_REDIS_OPS_H
#define TIDINGS_STREAMER_REDIS_OPS_H

#include <stdbool.h>
#include <stdint.h>
#include "common/span.h"

struct log_answer;

struct redis_ops {
	/* The partition can be subscribed at (again): nothing is subscribed at this moment. server:
	 * its server's name, where that may be another one than before, else "". */
	void (*connected)(void *arg, unsigned partition, const char *server);
	/* Its subscriptions are gone: messages may be missed from here on. */
	void (*disconnected)(void *arg, unsigned partition);
	/* The oldest open SUBSCRIBE of the partition was answered. */
	void (*subscribed)(void *arg, unsigned partition, bool refused);
	void (*message)(void *arg, unsigned partition, struct span channel, struct span payload);
	/* What came with one read was told, or a good part of it. Returns whether more may come in
	 * this turn of the loop. */
	bool (*drained)(void *arg);
	/* The answer to the partition's question, good until the call returns; NULL: it failed, ask
	 * again, at the latest when may_ask comes. */
	void (*answer)(void *arg, unsigned partition, const struct log_answer *answer);
	/* Questions may be asked (again). */
	void (*may_ask)(void *arg, unsigned partition);
	/* What Redis published on the partition before it answered the barrier has come. */
	void (*barrier)(void *arg, unsigned partition, uint64_t number);
};

#endif
