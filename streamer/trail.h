/* trail: who was kept out, or thrown out, and why: counted by reason, and one line on the log for
 * each, with topic, user, client address, the auth URL's answer and its time; never with what a
 * listener showed to prove itself. */
#ifndef TIDINGS_STREAMER_TRAIL_H
#define TIDINGS_STREAMER_TRAIL_H

#include "common/span.h"
#include "streamer/stats.h"

struct control;
struct stream;

struct refusal {
	enum refusal_reason reason;
	struct span topic; /* at == NULL: none in particular */
	struct span user;  /* at == NULL: nobody by name */
	double asked;      /* clock_seconds, when the auth URL was asked; 0: it was not */
	unsigned status;   /* of its answer; 0: there was none */
	const char *why;   /* static words beside the reason; NULL: none */
};

/* st was not let in, loses a topic, or ends. */
void trail_refused(const struct stream *st, const struct refusal *refusal);

/* The same without a line: there are too many at once. */
void trail_counted(const struct stream *st, enum refusal_reason reason);

/* A control message came, and met so many streams. */
void trail_control(const struct control *c, size_t met);

#endif
