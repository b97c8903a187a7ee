/* metrics: what an operator reads: JSON with the names of fastapi-sse-events, and Prometheus text
 * (exposition format 0.0.4). Never a label per topic: topics come from strangers and would grow the
 * answer without bound. */
#ifndef TIDINGS_STREAMER_METRICS_H
#define TIDINGS_STREAMER_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct hub;
struct stats;

/* What the figures are taken from; all borrowed. */
struct metrics_view {
	const struct stats *stats;
	const struct hub *const *hubs; /* one a partition */
	size_t n_hubs;
	double uptime_seconds;
	uint64_t connections; /* open, of every kind */
	uint64_t delivered, dropped;
	uint64_t redis_reconnects, redis_errors, log_questions;
	bool redis_ready;
	uint64_t auth_inflight, auth_waiting;
	uint64_t log_dropped;
};

/* One word: unhealthy (Redis is away), degraded (more than one event in ten dropped, or Redis erred
 * more than ten times), healthy. */
const char *metrics_health(const struct metrics_view *v);

/* Each appends to b and returns 0, -ENOBUFS, -ENOMEM. */
int metrics_json(const struct metrics_view *v, struct buf *b);
int metrics_prometheus(const struct metrics_view *v, struct buf *b);

#endif
