/* load: the load generator. Its children hold the streams (listeners.c), it publishes itself
 * (publisher.c), and they meet in memory that they share (tally.c). Any server that speaks SSE over
 * GET can be asked. Prints one line of JSON a run; everything ends with it, and within --limit.
 *
 * A run opens all streams, warms them up by an event on each topic until each stream has had one
 * (so that what a server still does behind its head is done), and then measures. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/cpu.h"
#include "bench/listeners.h"
#include "bench/load_options.h"
#include "bench/load_run.h"
#include "bench/publisher.h"
#include "bench/tally.h"

#define WARM_UP_ROUNDS 10

static void die(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	exit(1);
}

/* ---- children ---- */

static void start_children(struct load_run *run)
{
	const struct load_options *o = run->o;
	uint64_t first = 0;

	for (unsigned i = 0; i < o->processes; i++) {
		uint64_t count = o->streams / o->processes + (i < o->streams % o->processes);
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() == 1)
				_exit(2);
			listeners_run(o, run->t, i, first, count, i == 0 ? o->stalled : 0);
		}
		run->children[i] = pid;
		first += count;
	}
}

static void end_children(const struct load_run *run)
{
	for (unsigned i = 0; i < run->o->processes; i++)
		kill(run->children[i], SIGKILL);
}

/* ---- the parts of a run ---- */

static void open_streams(struct load_run *run)
{
	uint64_t last = 0;

	run->begun_ns = mark_now();
	start_children(run);
	while (TALLY_SUM(run->t, open) + TALLY_SUM(run->t, failed) < run->o->streams)
		load_run_wait(run, 100);
	for (unsigned i = 0; i < run->t->n; i++) {
		uint64_t at = atomic_load(&run->t->processes[i].opened_ns);

		last = at > last ? at : last;
	}
	run->open_ns = last - run->begun_ns;
}

/* A server may lose what comes while it still subscribes: so round after round until nobody is
 * missing. */
static void warm_up(struct load_run *run)
{
	for (uint64_t round = 0; round < WARM_UP_ROUNDS + run->o->warm_up; round++) {
		load_run_round(run);
		if (round + 1 >= run->o->warm_up && TALLY_SUM(run->t, warm) == run->o->streams)
			return;
	}
	fprintf(stderr, "load: only %llu of %llu streams have had an event\n",
		(unsigned long long)TALLY_SUM(run->t, warm), (unsigned long long)run->o->streams);
	exit(1);
}

static void measure(struct load_run *run)
{
	if (run->o->streams > 0 && TALLY_SUM(run->t, open) == 0)
		die("no stream could be opened");
	if (run->o->streams > 0)
		warm_up(run);
	load_run_begin(run);
	if (run->o->mode == LOAD_LAT)
		load_run_at_rate(run);
	else if (run->o->mode == LOAD_FAN)
		load_run_in_window(run);
	else
		load_run_by_answers(run);
	load_run_end(run);
}

/* ---- what is said ---- */

static double per(double what, double of)
{
	return of > 0 ? what / of : 0;
}

static void say_streams(const struct load_run *run)
{
	const struct load_options *o = run->o;
	double open_s = (double)run->open_ns / 1e9;

	printf("{\"mode\":\"%s\",\"streams\":%llu,\"stalled\":%llu,\"topics\":%llu,\"per\":%llu,"
	       "\"bytes\":%llu,",
	       o->mode_name, (unsigned long long)o->streams, (unsigned long long)o->stalled,
	       (unsigned long long)o->topics, (unsigned long long)o->per,
	       (unsigned long long)o->bytes);
	printf("\"opened\":%llu,\"failed\":%llu,\"ended\":%llu,\"open_s\":%.4f,"
	       "\"connects_per_s\":%.0f",
	       (unsigned long long)TALLY_SUM(run->t, open),
	       (unsigned long long)TALLY_SUM(run->t, failed),
	       (unsigned long long)TALLY_SUM(run->t, ended), open_s,
	       per((double)TALLY_SUM(run->t, open), open_s));
	if (run->o->mode == LOAD_CONNECT)
		printf(",\"cpu_s\":%.6f,\"cpu_us_per_connect\":%.3f",
		       (double)run->open_cpu_ns / 1e9,
		       per((double)run->open_cpu_ns / 1e3, (double)TALLY_SUM(run->t, open)));
}

static void say_delays(const struct load_run *run)
{
	struct histogram all = {0};

	for (unsigned i = 0; i < run->t->n; i++)
		histogram_merge(&all, &run->t->processes[i].delays);
	printf(",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f",
	       (double)histogram_quantile(&all, 0.5) / 1e6,
	       (double)histogram_quantile(&all, 0.99) / 1e6, (double)all.max / 1e6);
}

static void say_measured(const struct load_run *run)
{
	uint64_t got = TALLY_SUM(run->t, received);
	double seconds = (double)run->took_ns / 1e9;

	printf(",\"window\":%llu,\"rate\":%llu,\"seconds\":%.4f,\"published\":%llu,"
	       "\"answered\":%llu,\"refused\":%llu",
	       (unsigned long long)run->o->window, (unsigned long long)run->o->rate, seconds,
	       (unsigned long long)run->published, (unsigned long long)run->answered,
	       (unsigned long long)run->refused);
	printf(",\"expected\":%llu,\"deliveries\":%llu,\"lost\":%lld,\"doubled\":%llu,"
	       "\"disorder\":%llu,\"stuck\":%s",
	       (unsigned long long)run->expected, (unsigned long long)got,
	       (long long)(run->expected - got), (unsigned long long)TALLY_SUM(run->t, doubled),
	       (unsigned long long)TALLY_SUM(run->t, late), run->stuck ? "true" : "false");
	printf(",\"events_per_s\":%.1f,\"deliveries_per_s\":%.0f,\"answers_per_s\":%.0f",
	       per((double)run->published, seconds), per((double)got, seconds),
	       per((double)run->answered, seconds));
	printf(",\"cpu_s\":%.6f,\"cpu_us_per_delivery\":%.4f,\"cpu_us_per_event\":%.3f,"
	       "\"load_cpu_s\":%.3f",
	       (double)run->cpu_ns / 1e9, per((double)run->cpu_ns / 1e3, (double)got),
	       per((double)run->cpu_ns / 1e3, (double)run->published),
	       (double)run->load_cpu_ns / 1e9);
	say_delays(run);
}

/* For the caller to look at servers that are at rest. */
static void wait_for_line(void)
{
	char line[64];

	puts("open");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		die("nobody says to go on");
}

static void hold(void)
{
	char bytes[64];

	printf("}\n");
	fflush(stdout);
	while (read(STDIN_FILENO, bytes, sizeof(bytes)) > 0)
		;
}

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("setrlimit");
}

int main(int argc, char **argv)
{
	struct load_options o;
	struct load_run run;
	struct tally *t;

	load_options_read(&o, argc, argv);
	alarm((unsigned)o.limit_seconds); /* ends it, and so its children */
	raise_descriptors();
	t = tally_new((unsigned)o.processes);
	if (!t)
		die("out of memory");
	load_run_init(&run, &o, t);
	run.open_cpu_ns = cpu_used_ns(o.pids, o.n_pids);
	if (o.streams > 0)
		open_streams(&run);
	run.open_cpu_ns = cpu_used_ns(o.pids, o.n_pids) - run.open_cpu_ns;
	if (o.mode != LOAD_CONNECT && o.mode != LOAD_HOLD) {
		if (o.pause)
			wait_for_line();
		run.publisher = publisher_new(&o);
		measure(&run);
	}
	say_streams(&run);
	if (o.mode == LOAD_HOLD)
		hold();
	else if (o.mode != LOAD_CONNECT)
		say_measured(&run);
	if (o.mode != LOAD_HOLD)
		printf("}\n");
	publisher_free(run.publisher);
	if (o.streams > 0)
		end_children(&run);
	return 0;
}
