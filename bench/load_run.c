/* load_run: see load_run.h. */
#include "bench/load_run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/cpu.h"
#include "bench/load_options.h"
#include "bench/publisher.h"

#define QUIET_NS       3000000000u /* after so long without anything nothing will come */
#define WARM_UP_WINDOW 256
#define TOPIC_BYTES    256

void load_run_init(struct load_run *run, const struct load_options *o, struct tally *t)
{
	*run = (struct load_run){.o = o, .t = t};
	memset(run->payload, 'x', sizeof(run->payload));
}

/* ---- one event ---- */

static void put(struct load_run *run)
{
	uint32_t number = run->next++, topic = number % (uint32_t)run->o->topics;
	char name[TOPIC_BYTES];
	int len = snprintf(name, sizeof(name), "%s%u", run->o->prefix, topic);

	if (run->o->streams > 0)
		tally_expect(run->t, number, load_listeners_of(run->o, topic));
	mark_write((struct mark){number, mark_now()}, run->payload);
	publisher_put(run->publisher, (struct span){name, (size_t)len},
		      (struct span){run->payload, run->o->bytes});
	run->published++;
	if (run->o->streams > 0)
		run->expected += load_listeners_of(run->o, topic);
}

static uint64_t under_way(const struct load_run *run)
{
	return run->published - (atomic_load(&run->t->complete) - run->complete);
}

/* ---- waiting ---- */

static void sleep_ns(struct load_run *run, uint64_t ns)
{
	struct pollfd fds[PUBLISHER_FDS + 1];
	struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
	size_t n = run->publisher ? publisher_fds(run->publisher, fds) : 0;
	uint64_t woken;

	fds[n] = (struct pollfd){.fd = run->t->wake, .events = POLLIN};
	if (ppoll(fds, n + 1, &t, NULL) < 0 && errno != EINTR) {
		perror("load: poll");
		exit(1);
	}
	if ((fds[n].revents & POLLIN) && read(run->t->wake, &woken, sizeof(woken)) < 0)
		perror("load: eventfd");
	if (run->publisher)
		publisher_take(run->publisher);
}

void load_run_wait(struct load_run *run, int timeout_ms)
{
	sleep_ns(run, (uint64_t)timeout_ms * 1000000u);
}

/* Until an event is complete, or an answer came. It says that it waits before it looks, so that
 * nothing is complete unnoticed. */
static void wait_for_room(struct load_run *run, uint64_t window)
{
	atomic_store(&run->t->waiting, true);
	if (under_way(run) >= window || !publisher_ready(run->publisher))
		load_run_wait(run, 100);
	atomic_store(&run->t->waiting, false);
}

struct quiet {
	uint64_t seen, since;
};

/* True when `progress` has stood still for too long. */
static bool is_quiet(struct quiet *q, uint64_t progress)
{
	uint64_t now = mark_now();

	if (progress != q->seen || q->since == 0)
		*q = (struct quiet){progress, now};
	return now - q->since > QUIET_NS;
}

static uint64_t progress(const struct load_run *run)
{
	return TALLY_SUM(run->t, received) + TALLY_SUM(run->t, doubled) + TALLY_SUM(run->t, warm) +
	       atomic_load(&run->t->complete) + publisher_answered(run->publisher);
}

/* Publishes up to `until` events in all, so many under way. False when nothing moves any more. */
static bool fill(struct load_run *run, uint64_t window, uint64_t until, struct quiet *q)
{
	while (under_way(run) < window && run->published < until && publisher_ready(run->publisher))
		put(run);
	publisher_flush(run->publisher);
	publisher_take(run->publisher);
	wait_for_room(run, run->published < until ? window : 1);
	return !is_quiet(q, progress(run));
}

/* ---- a run ---- */

static void start_counting(struct load_run *run)
{
	run->published = run->expected = 0;
	run->complete = atomic_load(&run->t->complete);
}

/* The numbers of a round begin with topic 0. */
void load_run_round(struct load_run *run)
{
	struct quiet q = {0};

	while (run->next % run->o->topics)
		run->next++;
	atomic_store(&run->t->base, UINT32_MAX);
	start_counting(run);
	while ((run->published < run->o->topics || under_way(run) > 0) &&
	       fill(run, WARM_UP_WINDOW, run->o->topics, &q))
		;
}

static uint64_t cpu_of_load(const struct load_run *run)
{
	size_t n = run->o->streams > 0 ? run->o->processes : 0;
	pid_t self = getpid();

	return cpu_used_ns(run->children, n) + cpu_used_ns(&self, 1);
}

void load_run_begin(struct load_run *run)
{
	atomic_store(&run->t->base, run->next);
	start_counting(run);
	run->answered = publisher_answered(run->publisher);
	run->refused = publisher_refused(run->publisher);
	run->load_cpu_ns = cpu_of_load(run);
	run->cpu_ns = cpu_used_ns(run->o->pids, run->o->n_pids);
	run->took_ns = mark_now();
}

static uint64_t last_ns(const struct load_run *run)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < run->t->n; i++) {
		uint64_t at = atomic_load(&run->t->processes[i].last_ns);

		last = at > last ? at : last;
	}
	return last;
}

void load_run_end(struct load_run *run)
{
	struct quiet q = {0};
	uint64_t last;

	while (run->o->streams > 0 && under_way(run) > 0 && !run->stuck)
		run->stuck = !fill(run, 1, 0, &q);
	run->cpu_ns = cpu_used_ns(run->o->pids, run->o->n_pids) - run->cpu_ns;
	run->load_cpu_ns = cpu_of_load(run) - run->load_cpu_ns;
	last = run->o->streams > 0 ? last_ns(run) : mark_now();
	run->took_ns = last > run->took_ns ? last - run->took_ns : 0;
	run->answered = publisher_answered(run->publisher) - run->answered;
	run->refused = publisher_refused(run->publisher) - run->refused;
}

void load_run_at_rate(struct load_run *run)
{
	uint64_t begun = mark_now(), step = 1000000000u / run->o->rate;
	uint64_t events = run->o->rate * run->o->seconds;

	if (run->o->events > 0 && run->o->events < events)
		events = run->o->events;
	for (uint64_t i = 0; i < events; i++) {
		while (mark_now() < begun + i * step || !publisher_ready(run->publisher)) {
			uint64_t now = mark_now(), due = begun + i * step;

			sleep_ns(run, due > now ? due - now : 1000000u);
		}
		put(run);
		publisher_flush(run->publisher);
	}
}

void load_run_in_window(struct load_run *run)
{
	uint64_t end = mark_now() + run->o->seconds * 1000000000u;
	uint64_t until = run->o->events ? run->o->events : UINT64_MAX;
	struct quiet q = {0};

	while (mark_now() < end && run->published < until && !run->stuck)
		run->stuck = !fill(run, run->o->window, until, &q);
}

void load_run_by_answers(struct load_run *run)
{
	uint64_t end = mark_now() + run->o->seconds * 1000000000u;
	uint64_t before = publisher_answered(run->publisher);

	for (bool over = false;
	     !over || run->published > publisher_answered(run->publisher) - before;) {
		while (!over && publisher_ready(run->publisher) &&
		       run->published - (publisher_answered(run->publisher) - before) <
			       run->o->window)
			put(run);
		publisher_flush(run->publisher);
		load_run_wait(run, 100);
		over = mark_now() >= end;
	}
}
