/* redis_link: a lasting link to one server: one connection that is subscribed, one that asks. It
 * outlives its connections: it tries again with growing, jittered pauses, and tells when it is back
 * and what must be subscribed anew. It serves the partitions that it is given; without a Cluster
 * number 0 alone. */
#ifndef TIDINGS_STREAMER_REDIS_LINK_H
#define TIDINGS_STREAMER_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"
#include "streamer/redis_half.h"
#include "streamer/redis_ops.h"

struct ev_loop;
struct log_question;
struct redis_link;
struct redis_login;

struct redis_link_config {
	const struct redis_login *login; /* borrowed for the link's life */
	const char *topic_prefix;        /* likewise */
	unsigned partitions;             /* of a Cluster; 0: there is none */
	unsigned timeout_ms;             /* one connect, one command */
	size_t max_message;              /* bytes of one message; a few of them may wait unparsed */
	/* Where the server is, see redis_half.h. */
	bool (*where)(void *arg, unsigned attempt, struct redis_server *server);
	void *where_arg;
	enum redis_greeting greeting;
	/* The partition is not served here (any more): the link has let it go. NULL: can't be. */
	void (*astray)(void *arg, struct redis_link *l, unsigned partition);
	/* A connection is lost or can't be made. NULL: nobody wants to know. */
	void (*lost)(void *arg, struct redis_link *l);
	void *owner; /* of these two */
};

/* Begins to connect. NULL when out of memory. */
struct redis_link *redis_link_new(struct ev_loop *loop, const struct redis_link_config *config,
				  const struct redis_ops *ops, void *arg);
void redis_link_free(struct redis_link *l);

/* Serves the partition from now on; connected comes from here if the link is up. Returns 0 or
 * -ENOMEM. */
int redis_link_take(struct redis_link *l, unsigned partition);

/* No longer: disconnected comes from here, and an open question fails. */
void redis_link_let_go(struct redis_link *l, unsigned partition);

/* How many it serves. */
unsigned redis_link_serves(const struct redis_link *l);

/* The server is another one now, or said to be: connects anew, at once. */
void redis_link_reconnect(struct redis_link *l, const char *why);

/* The name of the server that it is connected to, or was; "": none yet, or there is but one. */
const char *redis_link_server(const struct redis_link *l);

/* Both connections are up, and positions can be taken. */
bool redis_link_ready(const struct redis_link *l);

/* Asks for one channel. Returns false when the link is down (connected will come) or memory is out
 * (the connection is then given up, so that it comes). */
bool redis_link_subscribe(struct redis_link *l, unsigned partition, struct span channel);

/* No message of it is wanted any more. */
void redis_link_unsubscribe(struct redis_link *l, unsigned partition, struct span channel);

/* Asks replay.lua. Returns false when the link can't ask (may_ask will come); else answer follows,
 * though never from here. One question at a time for each partition. */
bool redis_link_ask(struct redis_link *l, unsigned partition, const struct log_question *q);

/* Asks the subscriber's connection for a sign of life with that number. Harmless when it is down:
 * disconnected ends every barrier. */
void redis_link_barrier(struct redis_link *l, unsigned partition, uint64_t number);

/* Counters since the start. */
uint64_t redis_link_questions(const struct redis_link *l);
uint64_t redis_link_reconnects(const struct redis_link *l);
uint64_t redis_link_errors(const struct redis_link *l);

#endif
