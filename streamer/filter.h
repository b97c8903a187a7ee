/* filter: the event names that one stream wants, kept for its life. */
#ifndef TIDINGS_STREAMER_FILTER_H
#define TIDINGS_STREAMER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"

struct filter;

/* Copies the names (n at least 1), and nothing of the request that they stand in, which may be
 * hundred times as long. NULL when out of memory. */
struct filter *filter_new(const struct span *names, size_t n);

/* NULL is fine. */
void filter_free(struct filter *f);

/* True when that event is wanted; f NULL: all are. */
bool filter_passes(const struct filter *f, struct span name);

#endif
