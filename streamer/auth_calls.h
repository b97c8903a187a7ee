/* auth_calls: the calls of the auth URL: equal ones are made once, at most max_inflight are under
 * way, the rest wait in line, a full line refuses; a backend that fails is left alone for a while.
 * Verdicts that may be used again are put into the memory. */
#ifndef TIDINGS_STREAMER_AUTH_CALLS_H
#define TIDINGS_STREAMER_AUTH_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "streamer/auth.h"
#include "streamer/auth_memory.h"
#include "streamer/auth_told.h"

struct auth_call;
struct auth_calls;
struct ev_loop;
struct stats;

/* Who waits for a call; zeroed: for none. Embedded in whatever the owner has. */
struct auth_waiter {
	void *owner;
	struct auth_asker *asker;
	const uint16_t *which; /* the n topics of the ask that the call is about; borrowed */
	size_t n;
	struct auth_call *call; /* NULL: waits for none */
	struct auth_waiter *prev, *next;
};

/* What its call came to. NULL: the verdicts are in the memory by now. The waiter waits for none any
 * more. */
typedef void (*auth_told_fn)(void *arg, struct auth_waiter *w, const struct auth_told *told);

/* config's texts, memory and stats are borrowed. NULL when out of memory. */
struct auth_calls *auth_calls_new(struct ev_loop *loop, const struct auth_config *config,
				  struct auth_memory *memory, struct stats *stats,
				  auth_told_fn told, void *arg);

/* Nobody waits any more. NULL is fine. */
void auth_calls_free(struct auth_calls *a);

/* Lets w, whose first four members are set, wait for its call, which is made if nobody waits for
 * the same one. `told` comes later, from auth_calls_turn or the loop. Returns 0, -ENOBUFS when the
 * line is full, -EAGAIN while the auth URL fails and is left alone, -ENOMEM. */
int auth_calls_join(struct auth_calls *a, struct auth_waiter *w);

/* w will not be told; the last one takes the call with it. Harmless when it waits for none. */
void auth_calls_leave(struct auth_calls *a, struct auth_waiter *w);

/* Something has changed that answers to calls under way may not know of: whoever comes from now on
 * does not wait for these, and what they say is told to those who do alone. */
void auth_calls_disown(struct auth_calls *a);

/* Begins what there is room for; to be called once a turn of the loop. */
void auth_calls_turn(struct auth_calls *a);

size_t auth_calls_inflight(const struct auth_calls *a);
size_t auth_calls_waiting(const struct auth_calls *a);
bool auth_calls_broken(const struct auth_calls *a); /* the auth URL fails and is left alone */

#endif
