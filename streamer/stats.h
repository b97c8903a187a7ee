/* stats: what this worker counts. Plain numbers; metrics.c says them. */
#ifndef TIDINGS_STREAMER_STATS_H
#define TIDINGS_STREAMER_STATS_H

#include <stddef.h>
#include <stdint.h>
#include "streamer/auth_reply.h"

#define HISTOGRAM_BUCKETS 14
#define STATS_LATENCIES   100
#define STATS_REASONS     8 /* at least CLIENT_REASONS */

/* Upper bounds in seconds; what is above the last one is counted in `count` alone. */
extern const double histogram_bounds[HISTOGRAM_BUCKETS];

struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS];
	uint64_t count;
	double sum; /* seconds */
};

void histogram_add(struct histogram *h, double seconds);

struct stats {
	uint64_t streams_current, streams_total;
	uint64_t failed;   /* requests that were malformed, too slow or not allowed */
	uint64_t rejected; /* limits and busy */
	uint64_t published,
		published_foreign;  /* events that came from Redis; of them, foreign ones */
	uint64_t malformed, copies; /* messages from Redis that were passed over */
	uint64_t resets;            /* sse.reset sent */
	uint64_t resumed, replayed; /* streams that went on at their cursor; events for them */
	uint64_t holes;             /* events that did not come, as was found out later */
	uint64_t closed[STATS_REASONS];
	uint64_t auth[4]; /* by enum auth_outcome */
	struct histogram auth_seconds;
	struct histogram delivery_seconds; /* from Redis's socket to the last listener's */
	double loop_lag_seconds; /* how late the last tick of the worker's clock was served */
	double latencies_ms[STATS_LATENCIES]; /* from an event's id to its arrival here, the last
						 ones */
	size_t n_latencies, next_latency;
};

void stats_auth(struct stats *s, enum auth_outcome outcome, double seconds);
void stats_latency(struct stats *s, double ms);

/* Over the last STATS_LATENCIES; 0 when there are none. */
double stats_latency_average(const struct stats *s);
double stats_latency_p95(const struct stats *s);

#endif
