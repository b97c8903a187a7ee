/* stats: counting, adding up, and the two figures that need more than adding. */
#include "streamer/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Members of struct stats, all of 8 bytes, by their order there. */
#define WORDS_BEFORE(member) (offsetof(struct stats, member) / sizeof(uint64_t))
#define WHOLE_NUMBERS        WORDS_BEFORE(loop_lag_seconds) /* counters and gauges */
#define WORDS                (sizeof(struct stats) / sizeof(uint64_t))

_Static_assert(sizeof(struct stats) % sizeof(uint64_t) == 0, "members of 8 bytes");

const double histogram_bounds[HISTOGRAM_BUCKETS] = {.0005, .001, .0025, .005, .01, .025, .05,
						    .1,    .25,  .5,    1,    2.5, 5,    10};

void histogram_add(struct histogram *h, double seconds)
{
	if (seconds < 0)
		seconds = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (seconds <= histogram_bounds[i]) {
			h->buckets[i]++;
			break;
		}
	h->count++;
	h->sum += seconds;
}

const char *stats_refusal(enum refusal_reason reason)
{
	static const char *const words[REFUSAL_REASONS] = {
		[REFUSAL_DENIED] = "denied",
		[REFUSAL_BUSY] = "busy",
		[REFUSAL_WITHDRAWN] = "withdrawn",
		[REFUSAL_REVOKED] = "revoked",
		[REFUSAL_DISCONNECTED] = "disconnected",
		[REFUSAL_NO_TICKET] = "no_ticket",
		[REFUSAL_BAD_TICKET] = "bad_ticket",
		[REFUSAL_EARLY] = "early_ticket",
		[REFUSAL_EXPIRED] = "expired_ticket",
		[REFUSAL_OTHER_TOPIC] = "ticket_for_other_topics",
	};
	return words[reason];
}

void stats_auth(struct stats *s, enum auth_outcome outcome, double seconds)
{
	s->auth[outcome]++;
	histogram_add(&s->auth_seconds, seconds);
}

void stats_latency(struct stats *s, double ms)
{
	s->latencies_ms[s->next_latency] = ms > 0 ? ms : 0;
	s->next_latency = (s->next_latency + 1) % STATS_LATENCIES;
	if (s->n_latencies < STATS_LATENCIES)
		s->n_latencies++;
}

void stats_gone(struct stats *s)
{
	s->streams_current = s->connections = 0;
	s->auth_inflight = s->auth_waiting = s->auth_broken = 0;
	s->redis_away = 0;
	s->resident_bytes = 0;
	s->loop_lag_seconds = 0;
}

/* ---- all workers together ---- */

/* Its worker goes on counting meanwhile. */
static void copy(struct stats *to, const struct stats *from)
{
	uint64_t words[WORDS];
	const uint64_t *source = (const uint64_t *)(const void *)from;

	for (size_t i = 0; i < WORDS; i++)
		words[i] = __atomic_load_n(&source[i], __ATOMIC_RELAXED);
	memcpy(to, words, sizeof(*to));
}

static void add_histogram(struct histogram *to, const struct histogram *from)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->buckets[i] += from->buckets[i];
	to->count += from->count;
	to->sum += from->sum;
}

static void add(struct stats *to, const struct stats *from)
{
	uint64_t *sum = (uint64_t *)(void *)to;
	const uint64_t *words = (const uint64_t *)(const void *)from;

	for (size_t i = 0; i < WHOLE_NUMBERS; i++)
		sum[i] += words[i];
	if (from->loop_lag_seconds > to->loop_lag_seconds)
		to->loop_lag_seconds = from->loop_lag_seconds;
	add_histogram(&to->auth_seconds, &from->auth_seconds);
	add_histogram(&to->delivery_seconds, &from->delivery_seconds);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void sum_up_latencies(double *ms, size_t n, struct stats_total *out)
{
	double sum = 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		sum += ms[i];
	qsort(ms, n, sizeof(*ms), ascending);
	out->latency_average_ms = sum / (double)n;
	out->latency_p95_ms = ms[(n * 95 + 99) / 100 - 1]; /* nearest rank */
}

int stats_total(const struct stats *const *all, size_t n, struct stats_total *out)
{
	double *latencies = calloc(n * STATS_LATENCIES + 1, sizeof(*latencies));
	size_t n_latencies = 0;
	struct stats one;

	if (!latencies)
		return -ENOMEM;
	*out = (struct stats_total){0};
	for (size_t i = 0; i < n; i++) {
		copy(&one, all[i]);
		add(&out->sum, &one);
		memcpy(latencies + n_latencies, one.latencies_ms,
		       one.n_latencies * sizeof(*latencies));
		n_latencies += one.n_latencies;
	}
	sum_up_latencies(latencies, n_latencies, out);
	free(latencies);
	return 0;
}
