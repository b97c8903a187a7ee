/* test_stats: figures and chance: histograms, latencies, Redis's clock, INFO, jitter. */
#include "streamer/stats.h"

#include <math.h>
#include <string.h>

#include "streamer/jitter.h"
#include "streamer/redis_clock.h"
#include "streamer/redis_info.h"
#include "tests/unit/run.h"

START_TEST(a_value_is_in_the_first_bucket_whose_bound_it_does_not_pass)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		struct histogram h = {0};
		ck_assert(i == 0 || histogram_bounds[i] > histogram_bounds[i - 1]);
		histogram_add(&h, histogram_bounds[i]);
		ck_assert_uint_eq(h.buckets[i], 1);
		histogram_add(&h, nextafter(histogram_bounds[i], 100));
		ck_assert_uint_eq(h.buckets[i], 1);
		if (i + 1 < HISTOGRAM_BUCKETS)
			ck_assert_uint_eq(h.buckets[i + 1], 1);
		ck_assert_uint_eq(h.count, 2);
	}
}
END_TEST

START_TEST(what_is_above_the_last_bound_or_below_zero_is_counted_all_the_same)
{
	struct histogram h = {0};

	histogram_add(&h, 1e9);
	ck_assert_uint_eq(h.count, 1);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		ck_assert_uint_eq(h.buckets[i], 0);
	histogram_add(&h, -5); /* a clock that was set back */
	ck_assert_uint_eq(h.buckets[0], 1);
	ck_assert(h.sum == 1e9);
}
END_TEST

START_TEST(auth_calls_are_counted_by_their_outcome)
{
	struct stats s = {0};

	stats_auth(&s, AUTH_DENY, .25);
	stats_auth(&s, AUTH_DENY, .25);
	stats_auth(&s, AUTH_BUSY, 3);
	ck_assert_uint_eq(s.auth[AUTH_DENY], 2);
	ck_assert_uint_eq(s.auth[AUTH_BUSY], 1);
	ck_assert_uint_eq(s.auth[AUTH_ALLOW], 0);
	ck_assert_uint_eq(s.auth_seconds.count, 3);
	ck_assert(s.auth_seconds.sum == 3.5);
}
END_TEST

/* Nearest rank: the smallest value that at least 95 of 100 values do not pass. */
static double oracle_p95(const double *values, size_t n)
{
	double best = INFINITY;
	for (size_t i = 0; i < n; i++) {
		size_t not_above = 0;
		for (size_t j = 0; j < n; j++)
			not_above += values[j] <= values[i];
		if (not_above * 100 >= n * 95 && values[i] < best)
			best = values[i];
	}
	return best;
}

static struct stats_total total_of(const struct stats *a, const struct stats *b)
{
	const struct stats *all[] = {a, b};
	struct stats_total sum;

	ck_assert_int_eq(stats_total(all, b ? 2 : 1, &sum), 0);
	return sum;
}

START_TEST(p95_is_the_nearest_rank_for_every_number_of_values)
{
	struct stats s = {0};
	double seen[STATS_LATENCIES];

	ck_assert(total_of(&s, NULL).latency_p95_ms == 0);
	ck_assert(total_of(&s, NULL).latency_average_ms == 0);
	for (size_t n = 0; n < STATS_LATENCIES; n++) {
		double sum = 0;
		seen[n] = (double)(n * 37 % 101);
		stats_latency(&s, seen[n]);
		for (size_t i = 0; i <= n; i++)
			sum += seen[i];
		const struct stats *one = &s;
		struct stats_total total;
		ASSERT_QUIETLY(stats_total(&one, 1, &total) == 0);
		ASSERT_QUIETLY(total.latency_p95_ms == oracle_p95(seen, n + 1));
		ASSERT_QUIETLY(fabs(total.latency_average_ms - sum / (double)(n + 1)) < 1e-9);
	}
}
END_TEST

START_TEST(only_the_last_latencies_count_and_none_is_negative)
{
	struct stats s = {0};

	for (int i = 0; i < STATS_LATENCIES; i++)
		stats_latency(&s, 1000);
	for (int i = 0; i < STATS_LATENCIES; i++)
		stats_latency(&s, -3);
	ck_assert_uint_eq(s.n_latencies, STATS_LATENCIES);
	ck_assert(total_of(&s, NULL).latency_p95_ms == 0);
	ck_assert(total_of(&s, NULL).latency_average_ms == 0);
}
END_TEST

START_TEST(counters_gauges_and_histograms_add_up_and_the_worst_lag_counts)
{
	struct stats a = {.streams_total = 5, .streams_current = 2, .loop_lag_seconds = .25};
	struct stats b = {.streams_total = 7, .streams_current = 3, .loop_lag_seconds = .5};

	a.closed[1] = 10, b.closed[1] = 20;
	a.auth[AUTH_DENY] = 1, b.log_dropped = 4, a.redis_away = 1;
	a.resident_bytes = b.resident_bytes = 100;
	histogram_add(&a.auth_seconds, 1);
	histogram_add(&b.auth_seconds, .25);
	histogram_add(&b.delivery_seconds, 3);
	struct stats_total t = total_of(&a, &b);
	ck_assert_uint_eq(t.sum.streams_total, 12);
	ck_assert_uint_eq(t.sum.streams_current, 5);
	ck_assert(t.sum.loop_lag_seconds == .5);
	ck_assert(total_of(&b, &a).sum.loop_lag_seconds == .5);
	ck_assert_uint_eq(t.sum.closed[1], 30);
	ck_assert_uint_eq(t.sum.auth[AUTH_DENY], 1);
	ck_assert_uint_eq(t.sum.log_dropped, 4);
	ck_assert_uint_eq(t.sum.redis_away, 1);
	ck_assert_uint_eq(t.sum.resident_bytes, 200);
	ck_assert_uint_eq(t.sum.auth_seconds.count, 2);
	ck_assert(t.sum.auth_seconds.sum == 1.25);
	ck_assert_uint_eq(t.sum.auth_seconds.buckets[8] + t.sum.auth_seconds.buckets[10], 2);
	ck_assert_uint_eq(t.sum.delivery_seconds.count, 1);
}
END_TEST

START_TEST(the_latencies_of_all_are_judged_together)
{
	struct stats a = {0}, b = {0};

	for (int i = 0; i < STATS_LATENCIES; i++)
		stats_latency(&a, 10);
	stats_latency(&b, 1010);
	struct stats_total t = total_of(&a, &b);
	ck_assert(t.latency_p95_ms == 10);
	ck_assert(fabs(t.latency_average_ms - 2010. / 101) < 1e-9);
	for (int i = 0; i < 9; i++)
		stats_latency(&b, 1010);
	ck_assert(total_of(&a, &b).latency_p95_ms == 1010);
}
END_TEST

START_TEST(of_a_process_that_is_gone_the_counters_stay)
{
	struct stats s = {
		.streams_total = 5,
		.delivered = 3,
		.streams_current = 2,
		.connections = 9,
		.auth_inflight = 1,
		.auth_waiting = 1,
		.redis_away = 1,
		.resident_bytes = 1,
		.loop_lag_seconds = 1,
	};

	histogram_add(&s.auth_seconds, 1);
	stats_latency(&s, 7);
	stats_gone(&s);
	ck_assert_uint_eq(s.streams_total, 5);
	ck_assert_uint_eq(s.delivered, 3);
	ck_assert_uint_eq(s.auth_seconds.count, 1);
	ck_assert(total_of(&s, NULL).latency_p95_ms == 7);
	ck_assert_uint_eq(s.streams_current + s.connections + s.auth_inflight + s.auth_waiting +
				  s.redis_away + s.resident_bytes,
			  0);
	ck_assert(s.loop_lag_seconds == 0);
}
END_TEST

static struct event_id at(uint64_t ms)
{
	return (struct event_id){ms, 0};
}

START_TEST(an_id_is_believed_up_to_a_second_ahead_of_rediss_clock)
{
	struct redis_clock c = {0};

	ck_assert(redis_clock_believes(&c, at(UINT64_MAX), 5)); /* nothing is known yet */
	redis_clock_note(&c, at(1000000), 5);
	ck_assert(redis_clock_believes(&c, at(1001000), 5));
	ck_assert(!redis_clock_believes(&c, at(1001001), 5));
	ck_assert(redis_clock_believes(&c, at(1001001), 5.002));
	ck_assert(redis_clock_believes(&c, at(1011000), 15));
	ck_assert(!redis_clock_believes(&c, at(1011002), 15));
	ck_assert(redis_clock_believes(&c, at(1), 15));
}
END_TEST

START_TEST(rediss_clock_never_goes_back)
{
	struct redis_clock c = {0};

	redis_clock_note(&c, at(1000000), 5);
	redis_clock_note(&c, at(900000), 6); /* its clock was set back */
	ck_assert_uint_eq(c.latest.ms, 1000000);
	ck_assert(c.at == 5);
	ck_assert(redis_clock_believes(&c, at(1001000), 4)); /* nor does time */
	ck_assert(!redis_clock_believes(&c, at(1001001), 4));
}
END_TEST

START_TEST(an_id_that_came_late_does_not_make_the_next_one_look_like_one_of_the_future)
{
	struct redis_clock c = {0};

	redis_clock_note(&c, at(1000000), 5);
	redis_clock_note(&c, at(1000500), 8); /* after a pause of three seconds */
	ck_assert(redis_clock_believes(&c, at(1003000), 8));
	ck_assert(redis_clock_believes(&c, at(1004000), 8));
	ck_assert(!redis_clock_believes(&c, at(1004001), 8));
	redis_clock_note(&c, at(1003500), 8);
	ck_assert(redis_clock_believes(&c, at(1004500), 8));
}
END_TEST

START_TEST(a_value_of_info_is_found_in_its_line_alone)
{
	static const char info[] = "# Memory\r\nxmaxmemory:9\r\nmaxmemory_human:1\r\nempty:\r\n"
				   "a:b:c\r\nmaxmemory:7\r\nmaxmemory:8\r\nbare\nlast:z";
	struct span text = {info, sizeof(info) - 1};

	ck_assert(span_is(redis_info_value(text, "maxmemory"), "7"));
	ck_assert(span_is(redis_info_value(text, "a"), "b:c"));
	ck_assert(span_is(redis_info_value(text, "last"), "z"));
	ck_assert(span_is(redis_info_value(text, "empty"), ""));
	ck_assert_ptr_null(redis_info_value(text, "bare").at);
	ck_assert_ptr_null(redis_info_value(text, "memory").at);
	ck_assert_ptr_null(redis_info_value(text, "").at);
	ck_assert_ptr_null(redis_info_value(span_of(""), "a").at);
}
END_TEST

START_TEST(every_beginning_of_info_is_read_within_its_bytes)
{
	static const char info[] = "maxmemory:1\r\nmaxmemory_policy:allkeys-lru\r\n";

	for (size_t len = 0; len < sizeof(info); len++) {
		char *exact = malloc(len ? len : 1);
		struct span policy;
		ck_assert_ptr_nonnull(exact);
		memcpy(exact, info, len);
		bool evicts = redis_info_evicts((struct span){exact, len}, &policy);
		ASSERT_QUIETLY(evicts == (len >= sizeof("maxmemory:1\r\nmaxmemory_policy:") - 1));
		free(exact);
	}
}
END_TEST

START_TEST(a_redis_evicts_when_it_has_a_limit_and_a_policy_that_does)
{
	static const struct {
		const char *info;
		bool evicts;
	} cases[] = {
		{"maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", false},
		{"maxmemory:1\r\nmaxmemory_policy:noeviction\r\n", false},
		{"maxmemory:1\r\nmaxmemory_policy:volatile-ttl\r\n", true},
		{"maxmemory_policy:allkeys-lru\r\nmaxmemory:1\r\n", true},
		{"maxmemory:1\r\n", false},
		{"maxmemory_policy:allkeys-lru\r\n", false},
		{"", false},
	};
	struct span policy;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert(redis_info_evicts(span_of(cases[i].info), &policy) == cases[i].evicts);
}
END_TEST

START_TEST(chance_stays_within_its_bounds_and_reaches_them)
{
	bool seen[3] = {false, false, false};

	for (int i = 0; i < 1000; i++) {
		uint64_t n = jitter_between(5, 7);
		ASSERT_QUIETLY(n >= 5 && n <= 7);
		seen[n - 5] = true;
		ASSERT_QUIETLY(jitter_between(9, 9) == 9);
		n = jitter_around(1000);
		ASSERT_QUIETLY(n >= 800 && n <= 1200);
		ASSERT_QUIETLY(jitter_around(0) == 0);
		ASSERT_QUIETLY(jitter_around(4) == 4);
		ASSERT_QUIETLY(jitter_between(1, UINT64_MAX) > 0);
	}
	ck_assert(seen[0] && seen[1] && seen[2]);
	uint64_t first = jitter_between(0, UINT64_MAX);
	ck_assert(first != jitter_between(0, UINT64_MAX) || first != jitter_between(0, UINT64_MAX));
}
END_TEST

RUN_TESTS("stats", a_value_is_in_the_first_bucket_whose_bound_it_does_not_pass,
	  what_is_above_the_last_bound_or_below_zero_is_counted_all_the_same,
	  auth_calls_are_counted_by_their_outcome,
	  p95_is_the_nearest_rank_for_every_number_of_values,
	  only_the_last_latencies_count_and_none_is_negative,
	  counters_gauges_and_histograms_add_up_and_the_worst_lag_counts,
	  the_latencies_of_all_are_judged_together, of_a_process_that_is_gone_the_counters_stay,
	  an_id_is_believed_up_to_a_second_ahead_of_rediss_clock, rediss_clock_never_goes_back,
	  an_id_that_came_late_does_not_make_the_next_one_look_like_one_of_the_future,
	  a_value_of_info_is_found_in_its_line_alone,
	  every_beginning_of_info_is_read_within_its_bytes,
	  a_redis_evicts_when_it_has_a_limit_and_a_policy_that_does,
	  chance_stays_within_its_bounds_and_reaches_them)
