/* split: a request cut into the partitions of a Cluster that its topics belong to. Pure. */
#ifndef TIDINGS_PUBLISHER_SPLIT_H
#define TIDINGS_PUBLISHER_SPLIT_H

#include <stddef.h>
#include "publisher/log.h"

struct split_part {
	unsigned partition;
	/* the events that go there, in their order, each with its topics there alone; key and
	 * digest are the whole request's */
	struct publish_log_request request;
	/* for each event of the part and each of its topics here: the number of that copy among
	 * those of the whole request */
	const size_t *copies;
};

struct split {
	struct split_part *parts; /* in the order in which the request first names them */
	size_t n;
	struct publish_log_event *events; /* of all parts, one after the other, as the rest */
	struct span *topics;
	size_t *copies;
};

/* Cuts the request, which *out borrows, into n partitions. Returns 0 or -ENOMEM; *out is written on
 * success alone and ended by split_done. */
int split_request(const struct publish_log_request *request, unsigned n, struct split *out);
void split_done(struct split *s);

/* Puts a part's ids, one for each of its events, in the places of the whole request's, one for each
 * copy. */
void split_place(const struct split_part *part, const struct event_id *of_events,
		 struct event_id *of_copies);

#endif
