/* load_run: one run of the load generator: how events are paced, and when a run is over. */
#ifndef TIDINGS_BENCH_LOAD_RUN_H
#define TIDINGS_BENCH_LOAD_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "bench/tally.h"

struct load_options;
struct publisher;

struct load_run {
	const struct load_options *o;
	struct tally *t;
	struct publisher *publisher;
	pid_t children[TALLY_PROCESSES];
	uint32_t next;     /* number of the next event */
	uint64_t complete; /* of the tally, when measuring began */
	uint64_t begun_ns, open_ns, open_cpu_ns;
	uint64_t took_ns, cpu_ns, load_cpu_ns; /* of what was measured */
	uint64_t published, expected, answered, refused;
	char payload[65536]; /* the longest; of it --bytes are sent */
	bool stuck;          /* nothing came any more, though something was due */
};

/* Makes the payload. */
void load_run_init(struct load_run *run, const struct load_options *o, struct tally *t);

/* Sleeps until something came, at most so many ms; then takes the publisher's answers. */
void load_run_wait(struct load_run *run, int timeout_ms);

/* An event to each topic, which does not count; returns when all have come, or none does any more.
 */
void load_run_round(struct load_run *run);

/* Between these two all is counted. The end waits until everything has come, or none does. */
void load_run_begin(struct load_run *run);
void load_run_end(struct load_run *run);

/* For --seconds: --rate a second; as fast as --window lets; --window unanswered at a time. */
void load_run_at_rate(struct load_run *run);
void load_run_in_window(struct load_run *run);
void load_run_by_answers(struct load_run *run);

#endif
