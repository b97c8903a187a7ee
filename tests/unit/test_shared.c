/* test_shared: what the workers share: places, addresses, ids that were counted, reports on topics.
 * Two slots of one mapping stand for two processes; one test has real ones. */
#include "streamer/shared.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "streamer/forwarded.h"
#include "streamer/places.h"
#include "tests/unit/run.h"

static struct client_ip ip_of(unsigned number)
{
	struct client_ip ip = {.known = true, .bytes = {[10] = 0xff, [11] = 0xff}};

	memcpy(&ip.bytes[12], &number, 4);
	return ip;
}

static const struct client_ip nobody = {.known = false};

static struct places places_of(struct shared *s, unsigned worker, uint64_t limit, uint64_t per_ip)
{
	return (struct places){.shared = s,
			       .worker = worker,
			       .limit = limit,
			       .limit_here = 1000000,
			       .limit_per_ip = per_ip};
}

/* ---- places ---- */

START_TEST(the_limit_holds_for_all_workers_together)
{
	struct shared *s = shared_new(2, 0);
	struct client_ip ip = ip_of(1);
	ck_assert_ptr_nonnull(s);
	struct places a = places_of(s, 0, 3, 0), b = places_of(s, 1, 3, 0);

	ck_assert_ptr_null(places_take(&a, &ip));
	ck_assert_ptr_null(places_take(&b, &ip));
	ck_assert_ptr_null(places_take(&b, &ip));
	ck_assert(places_full(&a) && places_full(&b));
	ck_assert_ptr_nonnull(strstr(places_take(&a, &ip), "Server connection limit"));
	ck_assert_ptr_nonnull(strstr(places_take(&b, &ip), "Server connection limit"));
	ck_assert_uint_eq(places_here(&a), 1); /* who was refused took none */
	ck_assert_uint_eq(places_here(&b), 2);
	places_give_back(&b, &ip);
	ck_assert(!places_full(&a));
	ck_assert_ptr_null(places_take(&a, &ip));
	shared_free(s);
}
END_TEST

START_TEST(a_worker_has_a_limit_of_its_own_too)
{
	struct shared *s = shared_new(2, 0);
	ck_assert_ptr_nonnull(s);
	struct places a = places_of(s, 0, 100, 0), b = places_of(s, 1, 100, 0);

	a.limit_here = 1;
	ck_assert_ptr_null(places_take(&a, &nobody));
	ck_assert(places_full(&a) && !places_full(&b));
	ck_assert_ptr_nonnull(places_take(&a, &nobody));
	ck_assert_ptr_null(places_take(&b, &nobody));
	shared_free(s);
}
END_TEST

START_TEST(an_address_has_as_many_places_as_its_limit_whichever_worker_it_comes_to)
{
	struct shared *s = shared_new(2, 100);
	struct client_ip one = ip_of(1), two = ip_of(2);
	ck_assert_ptr_nonnull(s);
	struct places a = places_of(s, 0, 100, 2), b = places_of(s, 1, 100, 2);

	ck_assert_ptr_null(places_take(&a, &one));
	ck_assert_ptr_null(places_take(&b, &one));
	ck_assert_ptr_nonnull(strstr(places_take(&a, &one), "of your address"));
	ck_assert_ptr_nonnull(strstr(places_take(&b, &one), "of your address"));
	ck_assert_uint_eq(places_here(&a) + places_here(&b), 2); /* who was refused took none */
	ck_assert_ptr_null(places_take(&b, &two));
	places_give_back(&b, &one);
	ck_assert_ptr_null(places_take(&a, &one));
	ck_assert_ptr_nonnull(places_take(&b, &one));
	shared_free(s);
}
END_TEST

START_TEST(who_is_not_known_is_counted_in_all_and_never_for_an_address)
{
	struct shared *s = shared_new(1, 100);
	ck_assert_ptr_nonnull(s);
	struct places p = places_of(s, 0, 3, 1);

	for (int i = 0; i < 3; i++)
		ck_assert_ptr_null(places_take(&p, &nobody));
	ck_assert_ptr_nonnull(strstr(places_take(&p, &nobody), "Server"));
	places_give_back(&p, &nobody);
	ck_assert_ptr_null(places_take(&p, &nobody));
	shared_free(s);
}
END_TEST

START_TEST(what_a_dead_worker_held_is_free_again_and_what_it_counted_stays)
{
	struct shared *s = shared_new(2, 100);
	struct client_ip ip = ip_of(1);
	ck_assert_ptr_nonnull(s);
	struct places a = places_of(s, 0, 4, 2), b = places_of(s, 1, 4, 2);

	ck_assert_ptr_null(places_take(&a, &ip));
	ck_assert_ptr_null(places_take(&b, &ip));
	s->slots[0].stats.streams_total = 7;
	s->slots[0].stats.streams_current = 1;
	s->askers = 3;
	shared_say(s, 0, WORKER_READY);
	shared_worker_gone(s, 0);
	ck_assert_int_eq(shared_state(s, 0), WORKER_ABSENT);
	ck_assert_uint_eq(places_here(&a), 0);
	ck_assert_uint_eq(places_here(&b), 1);
	ck_assert_uint_eq(s->slots[0].stats.streams_total, 7);
	ck_assert_uint_eq(s->slots[0].stats.streams_current, 0);
	ck_assert_uint_eq(s->askers, 2);
	ck_assert_ptr_null(places_take(&b, &ip));
	ck_assert_ptr_nonnull(places_take(&b, &ip));
	shared_free(s);
}
END_TEST

#define CROWD   4
#define RUSHES  20000
#define CEILING 6

/* Takes and gives back, and counts when there were too many. */
static void rush(struct shared *s, unsigned worker, uint64_t *wrong)
{
	struct places p = places_of(s, worker, CEILING, 3);

	for (unsigned i = 0; i < RUSHES; i++) {
		struct client_ip ip = ip_of(i % 3);
		uint64_t sum = 0;

		if (places_take(&p, &ip) != NULL)
			continue;
		for (unsigned k = 0; k < CROWD; k++)
			sum += __atomic_load_n(&s->slots[k].stats.failed, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(wrong, sum >= CEILING, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&s->slots[worker].stats.failed, 1, __ATOMIC_SEQ_CST);
		__atomic_sub_fetch(&s->slots[worker].stats.failed, 1, __ATOMIC_SEQ_CST);
		places_give_back(&p, &ip);
	}
}

START_TEST(processes_that_rush_for_places_never_have_more_than_there_are)
{
	struct shared *s = shared_new(CROWD, 100);
	pid_t pids[CROWD];
	ck_assert_ptr_nonnull(s);
	uint64_t *wrong = &s->slots[0].stats.malformed;

	for (unsigned i = 0; i < CROWD; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			rush(s, i, wrong);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < CROWD; i++) {
		int status;
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(*wrong, 0);
	for (unsigned i = 0; i < CROWD; i++)
		ck_assert_uint_eq(s->slots[i].places, 0);
	for (unsigned i = 0; i < 3; i++) { /* and all addresses are free */
		struct client_ip ip = ip_of(i);
		for (int k = 0; k < 3; k++)
			ck_assert_int_eq(ip_count_add(s->ips, 0, &ip, 3), 0);
		ck_assert_int_eq(ip_count_add(s->ips, 0, &ip, 3), -EUSERS);
	}
	shared_free(s);
}
END_TEST

/* ---- addresses ---- */

START_TEST(as_many_addresses_as_were_asked_for_have_room)
{
	enum { ADDRESSES = 20000 };
	struct shared *s = shared_new(2, ADDRESSES);
	ck_assert_ptr_nonnull(s);

	for (unsigned i = 0; i < ADDRESSES; i++) {
		struct client_ip ip = ip_of(i);
		ASSERT_QUIETLY(ip_count_add(s->ips, i % 2, &ip, 1) == 0);
	}
	for (unsigned i = 0; i < ADDRESSES; i++) {
		struct client_ip ip = ip_of(i);
		ASSERT_QUIETLY(ip_count_add(s->ips, 0, &ip, 1) == -EUSERS);
	}
	ip_count_forget(s->ips, 1);
	for (unsigned i = 0; i < ADDRESSES; i++) {
		struct client_ip ip = ip_of(i);
		ASSERT_QUIETLY(ip_count_add(s->ips, 0, &ip, 1) == (i % 2 ? 0 : -EUSERS));
		ip_count_remove(s->ips, 0, &ip);
		ASSERT_QUIETLY(ip_count_add(s->ips, 1, &ip, 1) == 0);
	}
	shared_free(s);
}
END_TEST

START_TEST(a_full_table_of_addresses_refuses_and_takes_again)
{
	struct shared *s = shared_new(1, 1);
	unsigned n = 0;
	ck_assert_ptr_nonnull(s);

	for (;; n++) {
		struct client_ip ip = ip_of(n);
		int err = ip_count_add(s->ips, 0, &ip, 1);
		if (err) {
			ck_assert_int_eq(err, -ENOMEM);
			break;
		}
	}
	ck_assert_uint_eq(n, 16);
	struct client_ip first = ip_of(0), late = ip_of(n);
	ip_count_remove(s->ips, 0, &first);
	ck_assert_int_eq(ip_count_add(s->ips, 0, &late, 1), 0);
	shared_free(s);
}
END_TEST

START_TEST(a_process_that_dies_with_the_table_of_addresses_locked_stops_nobody)
{
	struct shared *s = shared_new(2, 10);
	struct client_ip ip = ip_of(1);
	int status;
	ck_assert_ptr_nonnull(s);

	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(pthread_mutex_lock(&s->ips->lock));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(ip_count_add(s->ips, 0, &ip, 1), 0);
	ck_assert_int_eq(ip_count_add(s->ips, 1, &ip, 1), -EUSERS);
	shared_free(s);
}
END_TEST

START_TEST(more_addresses_than_memory_can_have_are_refused)
{
	ck_assert_uint_eq(ip_count_size(UINT64_MAX, 64), 0);
	ck_assert_ptr_null(shared_new(64, UINT64_MAX / 2));
}
END_TEST

/* ---- events that were counted ---- */

START_TEST(an_event_is_new_once_in_each_partition)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	ck_assert_ptr_nonnull(seen);

	for (uint64_t ms = 1000; ms < 1100; ms++)
		for (uint64_t n = 0; n < 3; n++) {
			struct event_id id = {ms, n};
			ASSERT_QUIETLY(seen_first(seen, 0, id));
			ASSERT_QUIETLY(!seen_first(seen, 0, id));
			ASSERT_QUIETLY(seen_first(seen, 1, id));
			ASSERT_QUIETLY(!seen_first(seen, 1, id));
			ASSERT_QUIETLY(!seen_first(seen, 0, id));
		}
	free(seen);
}
END_TEST

START_TEST(who_hears_a_hundred_events_late_counts_next_to_none_again)
{
	enum { LAG = 100, EVENTS = 100000 };
	struct seen *seen = calloc(1, sizeof(*seen));
	unsigned again = 0;
	ck_assert_ptr_nonnull(seen);

	for (uint64_t i = 0; i < EVENTS; i++) {
		seen_first(seen, 0, (struct event_id){1000000 + i / 4, i % 4});
		if (i >= LAG)
			again += seen_first(
				seen, 0, (struct event_id){1000000 + (i - LAG) / 4, (i - LAG) % 4});
	}
	ck_assert_uint_lt(again, EVENTS / 200);
	free(seen);
}
END_TEST

/* ---- reports ---- */

START_TEST(a_report_is_had_whole_or_not_at_all)
{
	struct shared *s = shared_new(1, 0);
	struct topic_report *r = malloc(sizeof(*r));

	ck_assert(s && r);
	ck_assert(shared_report_copy(s, 0, r));
	shared_report_begin(s, 0);
	s->slots[0].topics.report.active = 5;
	ck_assert(!shared_report_copy(s, 0, r));
	shared_report_end(s, 0);
	ck_assert(shared_report_copy(s, 0, r));
	ck_assert_uint_eq(r->active, 5);
	shared_report_begin(s, 0); /* it dies here */
	shared_worker_gone(s, 0);
	ck_assert(shared_report_copy(s, 0, r));
	ck_assert_uint_eq(r->active, 0);
	free(r);
	shared_free(s);
}
END_TEST

RUN_TESTS("shared", the_limit_holds_for_all_workers_together, a_worker_has_a_limit_of_its_own_too,
	  an_address_has_as_many_places_as_its_limit_whichever_worker_it_comes_to,
	  who_is_not_known_is_counted_in_all_and_never_for_an_address,
	  what_a_dead_worker_held_is_free_again_and_what_it_counted_stays,
	  processes_that_rush_for_places_never_have_more_than_there_are,
	  as_many_addresses_as_were_asked_for_have_room,
	  a_full_table_of_addresses_refuses_and_takes_again,
	  a_process_that_dies_with_the_table_of_addresses_locked_stops_nobody,
	  more_addresses_than_memory_can_have_are_refused, an_event_is_new_once_in_each_partition,
	  who_hears_a_hundred_events_late_counts_next_to_none_again,
	  a_report_is_had_whole_or_not_at_all)
