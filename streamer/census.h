/* census: asks all workers for fresh figures, and answers when another worker asks. A question is a
 * number that rises, and a bell (eventfd) for each worker; so nothing is done while nobody asks. */
#ifndef TIDINGS_STREAMER_CENSUS_H
#define TIDINGS_STREAMER_CENSUS_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct shared;

struct census_ops {
	void (*look)(void *arg); /* write this worker's figures into its slot */
	void (*done)(void *arg); /* what census_ask asked for is there, as far as it can be had */
};

struct census {
	struct shared *shared;
	unsigned worker;
	struct ev_loop *loop;
	ev_io bell;
	ev_timer patience;
	uint64_t wanted; /* the number that is waited for; 0: none */
	const struct census_ops *ops;
	void *arg;
};

/* Before the workers are forked, makes their bells. Returns 0 or a negative errno. */
int census_make_bells(struct shared *s);

/* In a worker. */
void census_init(struct census *c, struct ev_loop *loop, struct shared *s, unsigned worker,
		 const struct census_ops *ops, void *arg);
void census_done(struct census *c);

/* Looks, and asks the others. True: all is there already. False: `done` is called later, once for
 * all that asked meanwhile, a second after the first of them at the latest. */
bool census_ask(struct census *c);

#endif
