/* shared: what the workers and their supervisor know of each other: one piece of memory, mapped
 * before the first worker is forked, with a slot a worker. A slot is written by its worker alone,
 * or by the supervisor while that has no process; everybody reads it. */
#ifndef TIDINGS_STREAMER_SHARED_H
#define TIDINGS_STREAMER_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "streamer/ip_count.h"
#include "streamer/seen.h"
#include "streamer/stats.h"
#include "streamer/topic_report.h"

#define SHARED_WORKERS_MAX 64

/* What a worker says of itself to whoever asks for readiness; the gravest first. */
enum worker_state {
	WORKER_ABSENT, /* not there (yet): it starts, or is about to */
	WORKER_SILENT, /* is there, and has not said anything for a while: it hangs, or is stopped
			*/
	WORKER_DRAINING,
	WORKER_WITHOUT_REDIS,
	WORKER_FULL,
	WORKER_READY,
};

/* Read and written as a whole; who reads it while it is written tries again. */
struct shared_report {
	uint64_t version; /* odd while it is written */
	struct topic_report report;
};

struct worker_slot {
	_Alignas(64) uint32_t state; /* enum worker_state */
	double said_at;              /* when it last said its state; clock_seconds */
	uint64_t places;             /* streams, and who waits for the verdict */
	uint64_t reported;           /* the newest census that it answered */
	struct stats stats;
	struct shared_report topics;
};

struct shared {
	size_t size; /* of all, bytes */
	unsigned workers;
	double started;    /* clock_seconds; the owner's */
	uint64_t restarts; /* workers that took the place of one that had ended */
	uint64_t seed;     /* of hashes that all workers must agree on */
	uint64_t asked;    /* number of the newest census */
	uint64_t askers;   /* a bit a worker: wants to hear when another one has reported */
	int bells[SHARED_WORKERS_MAX]; /* descriptors that wake a worker; -1: none */
	struct ip_count *ips;          /* NULL: addresses are not counted */
	struct seen seen;
	struct worker_slot slots[];
};

/* addresses: how many may have a stream at a time; 0: they are not counted. NULL when there is not
 * so much memory. */
struct shared *shared_new(unsigned workers, uint64_t addresses);

/* Unmaps; NULL is fine. */
void shared_free(struct shared *s);

/* A worker's own word on itself, and what the others see. */
void shared_say(struct shared *s, unsigned worker, enum worker_state state);
enum worker_state shared_state(const struct shared *s, unsigned worker);

/* Seconds since it last said its state, as it does with each tick of its clock; 0: it is absent. */
double shared_silence(const struct shared *s, unsigned worker);

/* Its process is gone: nothing of it is open any more, what it counted stays. */
void shared_worker_gone(struct shared *s, unsigned worker);

/* A worker's report, and a copy of anybody's; false when it could not be had whole. */
void shared_report_begin(struct shared *s, unsigned worker);
void shared_report_end(struct shared *s, unsigned worker);
bool shared_report_copy(const struct shared *s, unsigned worker, struct topic_report *out);

#endif
