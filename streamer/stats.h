/* stats: what one worker counts, and the sum over all. Plain numbers; metrics.c says them. A
 * worker's stats lie in memory that all workers read and it alone writes; every member has 8 bytes,
 * so that none is read half written. */
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

/* Why somebody was kept out, or thrown out. */
enum refusal_reason {
	REFUSAL_DENIED,    /* by the auth URL */
	REFUSAL_BUSY,      /* it gave no verdict */
	REFUSAL_WITHDRAWN, /* it took back what it had allowed */
	REFUSAL_REVOKED,   /* a revocation is in force */
	REFUSAL_DISCONNECTED,
	REFUSAL_NO_TICKET,
	REFUSAL_BAD_TICKET,
	REFUSAL_EARLY,   /* the ticket is not valid yet */
	REFUSAL_EXPIRED, /* the ticket is not valid any more */
	REFUSAL_OTHER_TOPIC,
	REFUSAL_REASONS,
};

struct stats {
	/* Counters: they rise only, also when another process takes the worker's place. */
	uint64_t streams_total;
	uint64_t failed;   /* requests that were malformed, too slow or not allowed */
	uint64_t rejected; /* limits and busy */
	uint64_t published,
		published_foreign;  /* events that came from Redis; of them, foreign ones */
	uint64_t malformed, copies; /* messages from Redis that were passed over */
	uint64_t resets;            /* sse.reset sent */
	uint64_t resumed, replayed; /* streams that went on at their cursor; events for them */
	uint64_t holes;             /* events that did not come, as was found out later */
	uint64_t closed[STATS_REASONS];
	uint64_t auth[4];                  /* by enum auth_outcome */
	uint64_t auth_reused, auth_joined; /* calls that were saved */
	uint64_t tickets_allowed, tickets_denied, tickets_expired;
	uint64_t expired; /* streams that ended with their ticket */
	uint64_t refused[REFUSAL_REASONS];
	uint64_t controls; /* control messages */
	uint64_t revoked;  /* topics that streams lost */
	/* counted elsewhere, here as of the last look: */
	uint64_t delivered, dropped, conflated; /* events */
	uint64_t redis_reconnects, redis_errors, log_questions;
	uint64_t log_dropped; /* lines */

	/* Gauges: what is at this moment. */
	uint64_t streams_current;
	/* as of the last look: */
	uint64_t connections; /* of every kind */
	uint64_t auth_inflight, auth_waiting;
	uint64_t auth_broken; /* 1: the auth URL fails and is left alone */
	uint64_t revocations; /* in force */
	uint64_t kept_bytes;  /* of what the auth URL may be shown again */
	uint64_t redis_away;  /* 1: some of it can't be subscribed at */
	uint64_t resident_bytes;
	/* All before it are whole numbers, which stats_total adds up. */
	double loop_lag_seconds; /* how late the last tick of the worker's clock was served */
	struct histogram auth_seconds;
	struct histogram delivery_seconds;    /* from Redis's socket to the last listener's */
	double latencies_ms[STATS_LATENCIES]; /* from an event's id to its arrival here, the last
						 ones */
	uint64_t n_latencies, next_latency;
};

/* The word for a reason, as metrics and log have it. */
const char *stats_refusal(enum refusal_reason reason);

void stats_auth(struct stats *s, enum auth_outcome outcome, double seconds);
void stats_latency(struct stats *s, double ms);

/* Its process is gone: nothing is open any more. */
void stats_gone(struct stats *s);

/* ---- all workers together ---- */

struct stats_total {
	struct stats sum; /* of everything but: the worst loop_lag_seconds; no latencies */
	double latency_average_ms, latency_p95_ms; /* of the last STATS_LATENCIES of each; 0: none
						    */
};

/* Returns 0 or -ENOMEM; *out is written on success alone. */
int stats_total(const struct stats *const *all, size_t n, struct stats_total *out);

#endif
