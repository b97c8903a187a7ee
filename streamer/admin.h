/* admin: answers to health checks and metrics (docs/PROTOCOL.md), for all workers, whichever is
 * asked. */
#ifndef TIDINGS_STREAMER_ADMIN_H
#define TIDINGS_STREAMER_ADMIN_H

#include "streamer/census.h"

struct ask;
struct client;
struct figures;
struct inquiry;
struct reception;

struct admin {
	const struct figures *figures;     /* borrowed */
	const struct reception *reception; /* borrowed */
	struct census census;
	struct inquiry *waiting; /* for the other workers' figures */
};

void admin_init(struct admin *a, struct ev_loop *loop, const struct figures *figures,
		const struct reception *reception);

/* Whoever waits is told nothing. */
void admin_done(struct admin *a);

/* Answers ASK_HEALTH, ASK_READY, ASK_LIVE, ASK_METRICS or ASK_PROMETHEUS, at once or when all
 * workers have told their figures. ask: the callee's from here. */
void admin_answer(struct admin *a, struct client *c, struct ask *ask);

/* Its connection is closed. */
void admin_forget(struct admin *a, const struct client *c);

#endif
