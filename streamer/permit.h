/* permit: what a stream's right to hear rests on: a ticket, or an answer of the auth URL, which may
 * be asked for again. Says whose it is and when it is to be looked at anew; a stream that anybody
 * may hear has none. */
#ifndef TIDINGS_STREAMER_PERMIT_H
#define TIDINGS_STREAMER_PERMIT_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"
#include "streamer/users.h"
#include "streamer/wheel.h"

struct ask;
struct auth_ask;
struct kept_ask;
struct stream;
struct streams;

/* Times by clock_seconds. */
struct permit {
	struct stream *stream;
	struct wheel_entry entry; /* on streams.permits, while something is due */
	double due;               /* then it is looked at; 0: never */
	double ends;              /* then it is over, unless it is renewed; 0: never */
	double asked;             /* when the call under way was begun */
	struct auth_ask *call;    /* owned; NULL: none is under way */
	struct ask *question;     /* of that call, where the stream flows already; owned */
	struct kept_ask
		*kept; /* what to ask with; held; NULL: a ticket, which is not asked about */
	struct user_entry user;
};

/* Returns 0 or -ENOMEM. */
int permits_init(struct streams *all);
void permits_done(struct streams *all);

/* Becomes st->permit. NULL when out of memory. */
struct permit *permit_new(struct stream *st);

/* Cancels its call. NULL is fine. */
void permit_free(struct permit *p);

/* Whose it is; name.len == 0: nobody's by name. Returns 0 or -ENOMEM. */
int permit_set_user(struct permit *p, struct span name);

/* at == NULL: nobody's by name, or it has no permit. */
struct span permit_user(const struct stream *st);

/* The number of the first topic of its request that a revocation keeps from it, n_topics of that:
 * none does. st->ask is there. */
size_t permit_find_revoked(const struct stream *st);

/* It is over at `ends` (0: never), and to be looked at then, or a little later: what was made
 * together does not end together. recheck_seconds: to be looked at within these, too; 0: need not
 * be. */
void permit_set_times(struct permit *p, double ends, unsigned recheck_seconds);

/* To be looked at in so many seconds, at the latest; a call under way about its stream is made anew
 * then. */
void permit_hurry(struct permit *p, double seconds);

/* To be looked at again, in so many seconds or when it is over. */
void permit_postpone(struct permit *p, double seconds);

/* To be looked at then, whatever was due before. */
void permit_look_at(struct permit *p, double when);

/* The call about its stream that is under way, if one is, will not be answered. */
void permit_drop_call(struct permit *p);

/* Calls look for each that is due; to be called PULSE_TICKS times a second. It is due once: look
 * sees to when it is again. */
void permits_tick(struct streams *all, void (*look)(void *arg, struct permit *p), void *arg);

#endif
