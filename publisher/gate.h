/* gate: what a Cluster needs before a request goes to its partitions, each of which knows nothing
 * of the others: that an idempotency key stands for one request in all of them, and that all events
 * of a second are counted together. */
#ifndef TIDINGS_PUBLISHER_GATE_H
#define TIDINGS_PUBLISHER_GATE_H

#include <stdbool.h>
#include <stdint.h>
#include "publisher/log.h"

struct config;
struct partition_log;
struct servers;
struct trouble;

struct gate {
	struct servers *servers;
	struct trouble *trouble; /* gets to know why something failed */
	const struct config *config;
	int64_t deadline;
};

/* Claims the key for the request, in the partition that the key itself belongs to. DONE: it is
 * ours, *again when it was before. MISMATCH: another request has it. REFUSED: neither is known. */
enum publish_log_outcome gate_claim(const struct gate *g, const struct partition_log *at,
				    const struct publish_log_request *request, bool *again);

/* Nothing was published: another request may have the key. When that fails, the claim ends by
 * itself. */
void gate_unclaim(const struct gate *g, const struct partition_log *at,
		  const struct publish_log_request *request);

/* Counts the request's events against rate_limit_per_second, in the one partition where all are
 * counted. DONE, LIMITED with *wait_ms, or REFUSED. */
enum publish_log_outcome gate_count(const struct gate *g, const struct partition_log *at,
				    const struct publish_log_request *request, uint64_t *wait_ms);

#endif
