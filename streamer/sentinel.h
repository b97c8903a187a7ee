/* sentinel: which server is the master, by what the sentinels say. Each is asked twice a second,
 * over a connection of its own. */
#ifndef TIDINGS_STREAMER_SENTINEL_H
#define TIDINGS_STREAMER_SENTINEL_H

#include <stdbool.h>

struct ev_loop;
struct redis_login;
struct redis_server;
struct sentinel;

/* login's URL is of kind REDIS_SENTINEL; it is borrowed. news is called with each answer. NULL when
 * out of memory. */
struct sentinel *sentinel_new(struct ev_loop *loop, const struct redis_login *login,
			      unsigned timeout_ms, void (*news)(void *arg), void *arg);
void sentinel_free(struct sentinel *s);

/* Where the master is said to be: with attempt 0 by most sentinels, with higher numbers by ever
 * fewer, and from the beginning again. False: nobody has said anything of late. *server is a view
 * that is good until the next answer. */
bool sentinel_where(const struct sentinel *s, unsigned attempt, struct redis_server *server);

/* True when more than half of all sentinels say that the master is another one than `host:port`. */
bool sentinel_contradicts(const struct sentinel *s, const char *name);

#endif
