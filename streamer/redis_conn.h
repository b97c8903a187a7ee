/* redis_conn: one non-blocking connection to a Redis or to a sentinel: connect, TLS, AUTH, SELECT,
 * commands out, replies in. One life: made for each attempt, freed when it is over; redis_link.c
 * decides when to try again. hiredis gives the protocol's reader and writer only (its async API
 * aborts the process on what Redis may send to a subscriber). */
#ifndef TIDINGS_STREAMER_REDIS_CONN_H
#define TIDINGS_STREAMER_REDIS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"

struct ev_loop;
struct redis_conn;
struct redis_login;
struct redis_server;
struct redisReply;

struct redis_conn_ops {
	/* Connected and logged in: commands may be sent. */
	void (*up)(void *arg);
	/* One reply or push, in order; the reply is gone after the call. */
	void (*reply)(void *arg, struct redisReply *reply);
	/* What came with one read has been handed up, or a good part of it. Returns whether more
	 * may come in this turn of the loop. NULL: always. */
	bool (*drained)(void *arg);
	/* It is over; `why` in words. The callee frees the connection (now or later); nothing else
	 * is called any more. */
	void (*down)(void *arg, const char *why);
};

/* Begins to connect; the callbacks come later from the loop, never from here. timeout_ms bounds
 * connect, TLS and login. max_bytes: a reply that is longer is a protocol error. It
 * connects to server, which is copied, by TLS and signing in as login says, which is borrowed for
 * the connection's life. NULL when out of memory. */
struct redis_conn *redis_conn_new(struct ev_loop *loop, const struct redis_login *login,
				  const struct redis_server *server, unsigned timeout_ms,
				  size_t max_bytes, const struct redis_conn_ops *ops, void *arg);

/* Closes; may be called from inside a callback. NULL is fine. */
void redis_conn_free(struct redis_conn *c);

/* Queues one command (length-prefixed: no argument can inject another). Sent at the end of the loop
 * turn or when the socket takes it. Returns 0 or -ENOMEM. */
int redis_conn_send(struct redis_conn *c, int argc, const char **argv, const size_t *lens);

/* The same for a command that is written already (common/resp.h). */
int redis_conn_write(struct redis_conn *c, struct span command);

/* Seconds since bytes last came from Redis. */
double redis_conn_silence(const struct redis_conn *c);

#endif
