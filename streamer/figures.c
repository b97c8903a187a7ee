/* figures: counters of modules begin at 0 with each process, so what the slot held at its start is
 * added to them. */
#include "streamer/figures.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "common/log.h"
#include "common/num.h"
#include "common/partition.h"
#include "streamer/auth.h"
#include "streamer/client.h"
#include "streamer/places.h"
#include "streamer/shared.h"
#include "streamer/stream.h"
#include "streamer/streams_redis.h"

static struct stats *own(const struct figures *f)
{
	return &f->shared->slots[f->worker].stats;
}

void figures_init(struct figures *f)
{
	f->before = *own(f);
}

/* Bytes of memory that are in RAM (the second number of statm, in pages); 0 when /proc does not
 * say. */
static uint64_t resident_bytes(void)
{
	char line[128];
	uint64_t pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	char *second = fgets(line, sizeof(line), f) ? strchr(line, ' ') : NULL;
	if (second &&
	    num_parse_u64(second + 1, strcspn(second + 1, " "), 0, UINT64_MAX, &pages) != 0)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void figures_say_state(const struct figures *f)
{
	enum worker_state state = f->stopping                      ? WORKER_DRAINING
				  : !streams_redis_ready(f->redis) ? WORKER_WITHOUT_REDIS
				  : places_full(f->places)         ? WORKER_FULL
								   : WORKER_READY;
	shared_say(f->shared, f->worker, state);
}

static void look_at_numbers(const struct figures *f)
{
	const struct stats *before = &f->before;
	struct stats *s = own(f);

	s->delivered = before->delivered + f->clients->events_sent;
	s->dropped = before->dropped + f->clients->events_dropped;
	s->conflated = before->conflated + f->clients->events_conflated;
	s->redis_reconnects = before->redis_reconnects + streams_redis_reconnects(f->redis);
	s->redis_errors = before->redis_errors + streams_redis_errors(f->redis);
	s->log_questions = before->log_questions + streams_redis_questions(f->redis);
	s->log_dropped = before->log_dropped + log_dropped();
	s->connections = f->clients->count;
	s->auth_inflight = f->auth ? auth_inflight(f->auth) : 0;
	s->auth_waiting = f->auth ? auth_waiting(f->auth) : 0;
	s->auth_broken = f->auth && auth_is_broken(f->auth);
	s->revocations = f->streams->revocations.n;
	s->kept_bytes = f->streams->kept_asks.bytes;
	s->redis_away = !streams_redis_ready(f->redis);
}

void figures_tick(const struct figures *f)
{
	figures_say_state(f);
	look_at_numbers(f);
}

static void look_at_topics(const struct figures *f)
{
	const struct streams *streams = f->streams;
	const struct hub *hubs[PARTITION_MAX];

	for (unsigned i = 0; i < streams->n_partitions; i++)
		hubs[i] = &streams->partitions[i].hub;
	shared_report_begin(f->shared, f->worker);
	topic_report_write(&f->shared->slots[f->worker].topics.report, hubs, streams->n_partitions,
			   f->shared->seed);
	shared_report_end(f->shared, f->worker);
}

void figures_look(const struct figures *f)
{
	figures_tick(f);
	own(f)->resident_bytes = resident_bytes();
	look_at_topics(f);
}
