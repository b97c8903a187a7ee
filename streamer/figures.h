/* figures: what a worker looks up about itself and writes into its slot of the shared memory, with
 * each tick, and afresh when somebody asks. What its modules count there directly is there at any
 * time. */
#ifndef TIDINGS_STREAMER_FIGURES_H
#define TIDINGS_STREAMER_FIGURES_H

#include <stdbool.h>
#include "streamer/stats.h"

struct auth;
struct clients;
struct places;
struct shared;
struct streams;
struct streams_redis;

struct figures {
	/* where they are taken from; all borrowed: */
	const struct clients *clients;
	const struct streams *streams;
	const struct streams_redis *redis;
	const struct places *places;
	const struct auth *auth; /* NULL: nobody is asked */
	/* where they go: */
	struct shared *shared;
	unsigned worker;
	bool stopping;
	struct stats before; /* as the worker's predecessors left it */
};

/* The members above `before` are set. */
void figures_init(struct figures *f);

/* Whether new listeners are welcome; to be called whenever that may have changed. */
void figures_say_state(const struct figures *f);

/* A few times a second: the state, and what its modules count by themselves, so that little of it
 * is lost with a process that ends by itself. */
void figures_tick(const struct figures *f);

/* All of it, which costs a walk through the topics. */
void figures_look(const struct figures *f);

#endif
