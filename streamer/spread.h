/* spread: one event to many listeners does not reach all of them in the same instant, so that they
 * do not all fetch in the same instant (spread_ms). */
#ifndef TIDINGS_STREAMER_SPREAD_H
#define TIDINGS_STREAMER_SPREAD_H

#include <stdbool.h>
#include <stdint.h>
#include "streamer/stream.h"

#define SPREAD_TICK_MS 10

/* Nothing is spread with 0. Returns 0 or -ENOMEM. */
int spread_init(struct streams *all, uint64_t spread_ms);
void spread_done(struct streams *all);

/* To be called every SPREAD_TICK_MS from when streams.on_held was called, while it returns true:
 * those whose turn it is are sent what was held for them. */
bool spread_tick(struct streams *all);

/* Who hears it alone needs to wait for nobody. */
static inline bool spread_wanted(const struct streams *all, const struct topic *t)
{
	return all->spread.n_slots > 0 && t->listeners > 1;
}

/* What comes for st is held until its turn, which is always as long after the first event. */
void spread_hold(struct stream *st);

/* It leaves: it is held no more. */
void spread_forget(struct stream *st);

#endif
