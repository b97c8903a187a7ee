/* listeners: all places that this worker accepts at, started, rested and closed together. */
#ifndef TIDINGS_STREAMER_LISTENERS_H
#define TIDINGS_STREAMER_LISTENERS_H

#include <stddef.h>
#include "streamer/listener.h"

struct sockets;

struct listeners {
	struct listener *all; /* the public ones, then the admin's */
	size_t n, n_public;
};

/* Takes the worker's sockets and begins to accept. Returns 0 or -ENOMEM; close in both cases. */
int listeners_start(struct listeners *l, struct ev_loop *loop, struct sockets *sockets,
		    unsigned worker, listener_accept_fn accept, void *arg);

/* Accepts nobody at the public ones until listeners_resume: who asks for health is answered also
 * when the house is full. */
void listeners_rest(struct listeners *l);

void listeners_resume(struct listeners *l);

/* No new streams; admin stays. */
void listeners_close_public(struct listeners *l);
void listeners_close(struct listeners *l);

#endif
