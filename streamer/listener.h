/* listener: one listening socket: accepts in bounded batches and stops for a while when descriptors
 * run out. */
#ifndef TIDINGS_STREAMER_LISTENER_H
#define TIDINGS_STREAMER_LISTENER_H

#include <ev.h>
#include <stdbool.h>

struct endpoint;

/* fd: accepted, non-blocking, close-on-exec; the callee's from here. */
typedef void (*listener_accept_fn)(void *arg, int fd, bool admin);

struct listener {
	struct ev_loop *loop;
	ev_io io;
	ev_timer pause;
	bool admin;
	char *path; /* of a unix socket: removed when it closes */
	listener_accept_fn accept;
	void *arg;
};

/* Opens and listens. A unix socket that nobody listens at any more is replaced; its mode is 0660.
 * Returns 0, or a negative errno with *why in static words. */
int listener_open(struct listener *l, struct ev_loop *loop, const struct endpoint *at, bool admin,
		  listener_accept_fn accept, void *arg, const char **why);

/* Accepts nobody until listener_resume; harmless on one that is zeroed or closed. */
void listener_rest(struct listener *l);

/* There is room again: goes on at once. */
void listener_resume(struct listener *l);

/* Closes; harmless on one that is zeroed or closed. */
void listener_close(struct listener *l);

#endif
