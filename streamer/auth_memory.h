/* auth_memory: which verdicts of the auth URL may be used again, and for whom (docs/PROTOCOL.md).
 * The clock is passed in. */
#ifndef TIDINGS_STREAMER_AUTH_MEMORY_H
#define TIDINGS_STREAMER_AUTH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"
#include "streamer/auth_key.h"
#include "streamer/auth_policy.h"
#include "streamer/verdicts.h"

struct ask;

struct auth_memory {
	struct verdicts verdicts;
	struct auth_vary vary;
};

/* A listener who asks. */
struct auth_asker {
	const struct ask *ask; /* borrowed, as the next */
	const char *client_ip; /* NULL: not known */
	bool read;             /* who is filled */
	struct auth_who who;
};

/* What an answer says about being used again; at == NULL: nothing. */
struct auth_caching {
	struct span cache_control, vary, age;
};

/* At most max verdicts are kept. Returns 0 or -ENOMEM. */
int auth_memory_init(struct auth_memory *m, size_t max);
void auth_memory_done(struct auth_memory *m); /* also of one that is all zeros */

/* Brings asker->who up to date with what answers depend on by now. Returns 0 or -ENOMEM. */
int auth_memory_know(const struct auth_memory *m, struct auth_asker *asker);

/* Whether topic number `topic` of the ask has a verdict; copies it. */
bool auth_memory_find(const struct auth_memory *m, struct auth_asker *asker, uint16_t topic,
		      double now, struct auth_verdict *out);

/* Learns what an answer to that asker depends on, and returns until when its verdicts may be used
 * again; 0: not at all. begun: when it was asked. */
double auth_memory_learn(struct auth_memory *m, struct auth_asker *asker,
			 const struct auth_caching *said, double begun);

/* Keeps one of them until then; AUTH_ALLOW and AUTH_DENY alone. Without memory it is forgotten. */
void auth_memory_keep(struct auth_memory *m, struct auth_asker *asker, uint16_t topic,
		      const struct auth_verdict *verdict, double until);

/* Verdicts of that user and topic are not used again. */
void auth_memory_forget(struct auth_memory *m, const struct control_selector *who);

/* Drops what has ended at `now`. */
void auth_memory_expire(struct auth_memory *m, double now);

#endif
