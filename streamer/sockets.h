/* sockets: every place that is listened at, opened once, before the first worker is forked. An
 * address has a socket a worker, so that the system shares the connects out (SO_REUSEPORT) and each
 * worker has a queue of its own, which waits for its successor; a unix socket and admin_listen have
 * one that all workers accept from. */
#ifndef TIDINGS_STREAMER_SOCKETS_H
#define TIDINGS_STREAMER_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

struct config;

struct listening {
	bool admin;
	char *path; /* of a unix socket; NULL: another one, or removed already */
	size_t n;   /* sockets: one, or one a worker */
	int *fds;   /* -1: closed, or taken */
};

struct sockets {
	struct listening *all; /* the public ones, then the admin's */
	size_t n, n_public;
};

/* Opens all of the settings, non-blocking; what accepts from them finds its sockets tuned. A unix
 * socket that nobody listens at any more is replaced; its mode is 0660. Returns 0, or -1 after a
 * line on the log; close in both cases. */
int sockets_open(struct sockets *s, const struct config *config, unsigned workers);

/* In a worker: closes those of the others. */
void sockets_keep(struct sockets *s, unsigned worker);

/* The worker's socket of that place; the caller's from here. */
int sockets_take(struct sockets *s, size_t place, unsigned worker);

/* No new streams: closes the public ones and removes the files of unix sockets. */
void sockets_close_public(struct sockets *s);

/* All of them; in a worker with `remove` false, since the files are not its own. */
void sockets_close(struct sockets *s, bool remove);

#endif
