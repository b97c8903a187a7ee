/* redis_link: the streamer's lasting link to Redis: one connection that is subscribed, one that
 * asks. It outlives its connections: it tries again with growing, jittered pauses, and tells when
 * it is back and what must be subscribed anew. */
#ifndef TIDINGS_STREAMER_REDIS_LINK_H
#define TIDINGS_STREAMER_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

struct ev_loop;
struct log_answer;
struct log_question;
struct redis_link;
struct redis_login;

struct redis_link_config {
	const struct redis_login *login; /* borrowed for the link's life */
	const char *topic_prefix;        /* likewise */
	unsigned timeout_ms;             /* one connect, one command */
	size_t max_message;              /* bytes of one message; a few of them may wait unparsed */
};

struct redis_link_ops {
	/* Subscribing is possible (again): nothing is subscribed at this moment. */
	void (*subscriber_up)(void *arg);
	/* The subscriptions are gone: messages may be missed from here on. */
	void (*subscriber_down)(void *arg);
	/* Every subscription up to this sequence number (of redis_link_subscribe) was answered by
	 * Redis. */
	void (*confirmed)(void *arg, uint64_t sequence);
	/* Redis refuses the channel of this number; confirmed follows for it all the same. */
	void (*refused)(void *arg, uint64_t sequence);
	void (*message)(void *arg, struct span channel, struct span payload);
	/* The answer to redis_link_ask, good until the call returns; NULL: it failed, ask again, at
	 * the latest when asking_up comes. */
	void (*answer)(void *arg, const struct log_answer *answer);
	/* Questions may be asked (again). */
	void (*asking_up)(void *arg);
	/* What Redis published before it answered redis_link_barrier has come. */
	void (*barrier)(void *arg, uint64_t number);
};

/* Begins to connect. NULL when out of memory. */
struct redis_link *redis_link_new(struct ev_loop *loop, const struct redis_link_config *config,
				  const struct redis_link_ops *ops, void *arg);
void redis_link_free(struct redis_link *l);

/* Both connections are up, and positions can be taken. */
bool redis_link_ready(const struct redis_link *l);

/* Asks for one channel and returns the sequence number of the question, 0 when the link is down
 * (subscriber_up will come) or memory is out (the connection is then given up, so that it comes).
 */
uint64_t redis_link_subscribe(struct redis_link *l, struct span channel);

/* No message of it is wanted any more. */
void redis_link_unsubscribe(struct redis_link *l, struct span channel);

/* Asks replay.lua. Returns false when the link can't ask (asking_up will come); else ops.answer
 * follows, though never from here. One question at a time. */
bool redis_link_ask(struct redis_link *l, const struct log_question *q);

/* Asks the subscriber's connection for a sign of life with that number. Harmless when it is down:
 * subscriber_down ends every barrier. */
void redis_link_barrier(struct redis_link *l, uint64_t number);

/* Counters since the start. */
uint64_t redis_link_questions(const struct redis_link *l);
uint64_t redis_link_reconnects(const struct redis_link *l);
uint64_t redis_link_errors(const struct redis_link *l);

#endif
