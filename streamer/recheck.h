/* recheck: permits that are due: the stream of a ticket ends, that of an answer of the auth URL is
 * asked about anew, and goes on, loses topics, or ends. */
#ifndef TIDINGS_STREAMER_RECHECK_H
#define TIDINGS_STREAMER_RECHECK_H

#include <stddef.h>

struct auth;
struct streams;

struct recheck {
	struct streams *streams; /* borrowed, as auth */
	struct auth *auth;       /* NULL: there are tickets alone */
	unsigned seconds;   /* how often streams are asked about; 0: when something calls for it */
	double patience;    /* seconds that a right which is over is waited for longer, while it is
			       asked about */
	size_t max_waiting; /* with so many calls in line nobody is asked about: who comes in goes
			       first */
};

/* To be called PULSE_TICKS times a second. */
void recheck_tick(struct recheck *r);

#endif
