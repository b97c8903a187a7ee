/* admin: answers to health checks and metrics (docs/PROTOCOL.md). */
#ifndef TIDINGS_STREAMER_ADMIN_H
#define TIDINGS_STREAMER_ADMIN_H

#include <stdbool.h>
#include "streamer/ask.h"
#include "streamer/metrics.h"

struct answer_to;
struct frame;

struct admin_view {
	struct metrics_view metrics;
	bool stopping, full;
};

/* ASK_HEALTH, ASK_READY, ASK_LIVE, ASK_METRICS or ASK_PROMETHEUS. One reference, the caller's; NULL
 * when out of memory. */
struct frame *admin_answer(enum ask_kind kind, const struct answer_to *to,
			   const struct admin_view *view);

/* Why new listeners should be sent elsewhere; NULL: they are welcome. */
const char *admin_not_ready(const struct admin_view *view);

#endif
