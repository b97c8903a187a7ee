/* redis_half: one lasting connection to Redis out of many short ones: tried again after growing,
 * jittered pauses, and watched: who falls silent under a question is found out. A redis_link has
 * two. */
#ifndef TIDINGS_STREAMER_REDIS_HALF_H
#define TIDINGS_STREAMER_REDIS_HALF_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/redis_address.h"
#include "common/span.h"

struct redis_conn;
struct redis_conn_ops;
struct redis_login;
struct redis_server;
struct redisReply;

/* What a new connection is asked before it counts as up. */
enum redis_greeting {
	REDIS_GREET_NOT,
	REDIS_GREET_ROLE, /* it must be a master; its name is where it was connected at */
	REDIS_GREET_ID,   /* the node of a Cluster; its name is its id */
};

#define REDIS_HALF_TOLD_BYTES 128

struct redis_half_config {
	const struct redis_login *login; /* borrowed for the half's life */
	/* Where to connect to; false: that is not known yet. attempt: failures in a row. */
	bool (*where)(void *arg, unsigned attempt, struct redis_server *server);
	void *where_arg;
	enum redis_greeting greeting;
	unsigned timeout_ms; /* one connect, one command */
	size_t max_bytes;    /* of one reply */
};

struct redis_half {
	struct ev_loop *loop;
	struct redis_half_config config;
	const char *name;                 /* for the log; static */
	const struct redis_conn_ops *ops; /* of its connections */
	void *arg;
	struct redis_conn *conn;
	ev_timer pause;
	uint64_t backoff_ms;
	char at[REDIS_ADDRESS_BYTES];     /* where it connects to, for the log */
	char server[REDIS_ADDRESS_BYTES]; /* its name; "" without a greeting */
	unsigned attempt;                 /* failures in a row */
	bool greeting_open;
	bool up;                          /* commands may be sent */
	bool proven;                      /* it gave a right answer since it is up */
	bool complained;                  /* about what is not over yet */
	char told[REDIS_HALF_TOLD_BYTES]; /* the beginning of what was said then */
	bool ping_open;
	unsigned strikes;
	double replied_at; /* when the last whole reply came */
	double asked_at;   /* when the oldest unanswered question went out; 0: none is open */
};

/* ops get arg; their up, reply and down are to call the three below. */
void redis_half_init(struct redis_half *h, struct ev_loop *loop,
		     const struct redis_half_config *config, const char *name,
		     const struct redis_conn_ops *ops, void *arg);
void redis_half_done(struct redis_half *h);

/* Begins to connect; the callbacks come later from the loop, never from here. */
void redis_half_connect(struct redis_half *h);

/* The connection is there. Returns true when it is up, false when it is greeted first. */
bool redis_half_up(struct redis_half *h);

/* The answer to the greeting. Returns NULL when it is up now, else what is wrong with it: it is to
 * be given up. The words may be the reply's. */
const char *redis_half_greeted(struct redis_half *h, const struct redisReply *reply);

/* Connects at once, if it only waits to do so. */
void redis_half_hurry(struct redis_half *h);

/* One reply came, whatever it says. */
void redis_half_replied(struct redis_half *h);

/* Gives the connection up, if it is not over already, and tries again later. why: for the log. */
void redis_half_down(struct redis_half *h, const char *why);

/* A reply was right. Until then a Redis that lets us in and refuses every question is tried again
 * with growing pauses, as one that is away. */
void redis_half_proven(struct redis_half *h);

/* Sends one question; up alone. Returns 0 or -ENOMEM. */
int redis_half_send(struct redis_half *h, int argc, const char **argv, const size_t *lens);

/* The same for a command that is written already (common/resp.h). */
int redis_half_write(struct redis_half *h, struct span command);

/* To be called twice in each time limit while it is up: asks PING when all is quiet. Returns false
 * when it must be given up: a question is open and nothing came for too long, or for far too long
 * nothing but pieces. */
bool redis_half_watch(struct redis_half *h);

/* True when a PING of ours is open, which this reply then answers. */
bool redis_half_answers_ping(struct redis_half *h);

#endif
