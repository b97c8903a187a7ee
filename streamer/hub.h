/* hub: who listens to which topic. A topic exists from its first listener until its last one left
 * and its linger time is over; the hub tells when it wants one subscribed or unsubscribed at Redis,
 * and asks nobody. */
#ifndef TIDINGS_STREAMER_HUB_H
#define TIDINGS_STREAMER_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/keyed_hash.h"
#include "common/span.h"
#include "streamer/deadline.h"

struct tail;
struct topic;

/* One listener's place in one topic; embedded in an array that the listener owns and never moves.
 */
struct subscription {
	struct topic *topic; /* NULL: not joined */
	struct subscription *prev, *next;
	void *listener; /* the client; hub does not look into it */
};

struct topic {
	/* kept by the owner: */
	uint64_t asked;         /* number of its SUBSCRIBE (redis_link_subscribe) */
	struct tail *tail;      /* what its log held a moment ago; NULL: was not asked */
	size_t slot;            /* its number in the open question + 1; 0: not in it */
	bool refused;           /* by Redis: it is to be subscribed again when somebody comes */
	struct deadline linger; /* runs while nobody listens */
	/* What an event of it needs stands together from here on, to the name. */
	uint8_t batch_last;      /* number + 1 of its latest event in the batch; 0: it has none */
	struct event_id last_id; /* of the last event of ours that came on its channel */
	struct event_id since; /* every event above it comes on its channel; zero: not known yet */
	/* the hub's: */
	/* Those of listeners that hear several topics come first, those that are set aside last. */
	struct subscription *first, *last;
	struct subscription *aside; /* the first of those; NULL: nobody is */
	size_t listeners;
	uint64_t serial; /* never used twice, unlike the address */
	UT_hash_handle hh;
	size_t name_len;
	char name[]; /* with a NUL */
};

struct hub_ops {
	void (*wanted)(void *arg, struct topic *t); /* first listener: subscribe at Redis */
	void (*unwanted)(
		void *arg,
		struct topic *t); /* nobody came back in time: unsubscribe; t dies after the call */
};

struct hub {
	struct topic *topics;
	uint64_t seed;
	uint64_t next_serial;
	struct deadline_list lingering;
	const struct hub_ops *ops;
	void *arg;
};

/* linger_seconds: how long a topic stays subscribed without a listener. */
void hub_init(struct hub *h, double linger_seconds, const struct hub_ops *ops, void *arg);

/* Frees what is left of the topics without telling anybody; every listener has left. */
void hub_done(struct hub *h);

/* Puts s (zeroed) of `listener` into the topic of that name, made when it does not exist. several:
 * the listener hears other topics too. Returns 0 or -ENOMEM; s is unchanged on error. */
int hub_join(struct hub *h, struct span name, struct subscription *s, void *listener, bool several);

/* The listener, which hears no other topic, takes nothing at present: who does is to be served
 * before it. s is not set aside. */
void hub_set_aside(struct subscription *s);

/* It is one of the others again. */
void hub_take_back(struct subscription *s);

/* Takes s out again; harmless when it is in no topic. now: the clock of hub_expire. */
void hub_leave(struct hub *h, struct subscription *s, double now);

/* `to` takes the place of `from`, which is in no topic any more. `from` may be in none before. */
void hub_move(struct subscription *from, struct subscription *to);

struct topic *hub_find(const struct hub *h, struct span name);

/* Ends the topics whose linger time is over. */
void hub_expire(struct hub *h, double now);

/* Topics with at least one listener are counted by the caller through this: walks all topics, in no
 * order. */
#define HUB_EACH(hub, t) for ((t) = (hub)->topics; (t); (t) = (t)->hh.next)

/* Walks all listeners of a topic; the current one may leave during the walk. */
#define TOPIC_EACH(topic, s, following)                                                            \
	for ((s) = (topic)->first; (s) && ((following) = (s)->next, true); (s) = (following))

#endif
