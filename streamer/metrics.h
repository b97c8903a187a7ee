/* metrics: what an operator reads: JSON with the names of fastapi-sse-events, and Prometheus text
 * (exposition format 0.0.4). Never a label per topic: topics come from strangers and would grow the
 * answer without bound. */
#ifndef TIDINGS_STREAMER_METRICS_H
#define TIDINGS_STREAMER_METRICS_H

#include <stdint.h>

struct buf;
struct stats_total;
struct topic_totals;

/* What the figures are of: all workers together. All borrowed. */
struct metrics_view {
	const struct stats_total *stats;
	const struct topic_totals *topics;
	double uptime_seconds;
	unsigned workers;
	uint64_t restarts; /* workers that took the place of one that had ended */
};

/* One word: unhealthy (Redis is away), degraded (more than one event in ten dropped, or Redis erred
 * more than ten times), healthy. */
const char *metrics_health(const struct metrics_view *v);

/* Each appends to b and returns 0, -ENOBUFS, -ENOMEM. */
int metrics_json(const struct metrics_view *v, struct buf *b);
int metrics_prometheus(const struct metrics_view *v, struct buf *b);

#endif
