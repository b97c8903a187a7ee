/* crew: `workers = auto` is a worker a core, and more where max_connections needs more files than
 * one process may have. */
#include "streamer/crew.h"

#include <sched.h>
#include "common/log.h"
#include "streamer/config.h"
#include "streamer/descriptors.h"
#include "streamer/shared.h"

#define RESERVED_FILES (CREW_SHORT_ANSWERS + 64) /* the others: Redis, admin's, the log */
#define WORTH_STREAMS  256 /* a process for fewer is none; the limit is to be raised */

static unsigned at_most(uint64_t n)
{
	return n < SHARED_WORKERS_MAX ? (unsigned)n : SHARED_WORKERS_MAX;
}

unsigned crew_for_files(uint64_t streams, uint64_t streams_each)
{
	uint64_t counted_on = streams_each >= streams ? streams : streams_each - streams_each / 20;

	if (counted_on == 0)
		return SHARED_WORKERS_MAX;
	return at_most(streams / counted_on + (streams % counted_on != 0));
}

static unsigned cores(void)
{
	cpu_set_t allowed;

	CPU_ZERO(&allowed);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return 1;
	return at_most((uint64_t)CPU_COUNT(&allowed));
}

size_t crew_share(size_t total, unsigned workers, unsigned number)
{
	size_t share = total / workers + (number < total % workers);
	return share == 0 && total > 0 ? 1 : share;
}

/* What each needs besides its streams; a bell of each other worker, too. */
static uint64_t reserved(const struct config *c, unsigned workers)
{
	return RESERVED_FILES + crew_share(c->auth_max_inflight, workers, 0) + c->n_listen +
	       workers - 1;
}

static unsigned decide(const struct config *c)
{
	unsigned by_cores = cores();
	uint64_t each = descriptors_fit(c->max_connections, reserved(c, 1));
	unsigned by_files = crew_for_files(c->max_connections, each);

	if (by_files > by_cores && each >= WORTH_STREAMS) {
		log_info("%u workers: %llu streams (max_connections) do not fit into %llu open "
			 "files a process",
			 by_files, (unsigned long long)c->max_connections,
			 (unsigned long long)descriptors_limit());
		return by_files;
	}
	log_info("%u worker%s: one a core", by_cores, by_cores == 1 ? "" : "s");
	return by_cores;
}

static void warn(const struct config *c, const struct crew *crew)
{
	unsigned long long fits = crew->streams_each * crew->workers;

	if (fits < c->max_connections)
		log_warn("the limit of open files is %llu: at most %llu streams%s, not the %llu of "
			 "max_connections",
			 (unsigned long long)descriptors_limit(), fits,
			 crew->workers > 1 ? " of all workers together" : "",
			 (unsigned long long)c->max_connections);
	if (c->auth_by_url && c->auth_max_inflight < crew->workers)
		log_warn("auth_max_inflight is %zu, and each of the %u workers makes one call at a "
			 "time all the same",
			 c->auth_max_inflight, crew->workers);
}

struct crew crew_size(const struct config *c)
{
	struct crew crew = {.workers = c->workers};

	if (crew.workers == 0)
		crew.workers = decide(c);
	else
		log_info("%u worker%s, as set", crew.workers, crew.workers == 1 ? "" : "s");
	crew.streams_each = descriptors_fit(c->max_connections, reserved(c, crew.workers));
	warn(c, &crew);
	return crew;
}
