/* topic_report: what a worker says of its topics, and what the reports of all workers say together.
 * A report has the same size however many topics there are. */
#ifndef TIDINGS_STREAMER_TOPIC_REPORT_H
#define TIDINGS_STREAMER_TOPIC_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include "common/topic.h"
#include "streamer/sketch.h"

struct hub;

#define REPORT_TOPICS 200 /* of one worker */
#define TOTAL_TOPICS  100 /* of all together */

struct report_topic {
	uint64_t listeners;
	char name[TOPIC_MAX_BYTES + 1];
};

struct topic_report {
	uint64_t active; /* topics with a listener */
	size_t n;
	struct report_topic largest[REPORT_TOPICS]; /* in no order */
	struct sketch sketch;                       /* of the active ones */
};

struct topic_totals {
	uint64_t active; /* of one worker exactly, of several within about 1 % */
	size_t n;
	struct report_topic largest[TOTAL_TOPICS]; /* the largest first */
};

/* hubs: one a partition. seed: the same in all workers. */
void topic_report_write(struct topic_report *r, const struct hub *const *hubs, size_t n_hubs,
			uint64_t seed);

/* Returns 0 or -ENOMEM; *out is written on success alone. */
int topic_report_total(const struct topic_report *reports, size_t n, struct topic_totals *out);

#endif
