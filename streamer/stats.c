/* stats: counting, and the two figures that need more than adding. */
#include "streamer/stats.h"

#include <stdlib.h>
#include <string.h>

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

double stats_latency_average(const struct stats *s)
{
	double sum = 0;
	for (size_t i = 0; i < s->n_latencies; i++)
		sum += s->latencies_ms[i];
	return s->n_latencies ? sum / (double)s->n_latencies : 0;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double stats_latency_p95(const struct stats *s)
{
	double sorted[STATS_LATENCIES];
	if (s->n_latencies == 0)
		return 0;
	memcpy(sorted, s->latencies_ms, s->n_latencies * sizeof(sorted[0]));
	qsort(sorted, s->n_latencies, sizeof(sorted[0]), ascending);
	return sorted[(s->n_latencies * 95 + 99) / 100 - 1]; /* nearest rank */
}
