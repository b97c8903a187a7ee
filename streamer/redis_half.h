/* redis_half: one lasting connection to Redis out of many short ones: tried again after growing,
 * jittered pauses, and watched: who falls silent under a question is found out. A redis_link has
 * two. */
#ifndef TIDINGS_STREAMER_REDIS_HALF_H
#define TIDINGS_STREAMER_REDIS_HALF_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"

struct redis_conn;
struct redis_conn_ops;
struct redis_login;

struct redis_half_config {
	const struct redis_login *login; /* borrowed for the half's life */
	unsigned timeout_ms;             /* one connect, one command */
	size_t max_bytes;                /* of one reply */
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
	bool up;         /* commands may be sent */
	bool proven;     /* it gave a right answer since it is up */
	bool complained; /* about what is not over yet */
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

/* The connection is up. */
void redis_half_up(struct redis_half *h);

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
