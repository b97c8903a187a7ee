/* listener: accepts from one listening socket in bounded batches, and stops for a while when
 * descriptors run out. */
#ifndef TIDINGS_STREAMER_LISTENER_H
#define TIDINGS_STREAMER_LISTENER_H

#include <ev.h>
#include <stdbool.h>

#define LISTENER_SEND_BUFFER                                                                       \
	65536 /* what a stalled client may hold in the kernel; without it that grows to megabytes  \
	       */

/* fd: accepted, non-blocking, close-on-exec; the callee's from here. */
typedef void (*listener_accept_fn)(void *arg, int fd, bool admin);

struct listener {
	struct ev_loop *loop;
	ev_io io;
	ev_timer pause;
	bool admin;
	bool local; /* a unix socket */
	listener_accept_fn accept;
	void *arg;
};

/* Begins to accept. fd listens and is non-blocking; the listener's from here. Others may accept
 * from it, too. */
void listener_start(struct listener *l, struct ev_loop *loop, int fd, bool admin,
		    listener_accept_fn accept, void *arg);

/* Accepts nobody until listener_resume; harmless on one that is zeroed or closed. */
void listener_rest(struct listener *l);

/* There is room again: goes on at once. */
void listener_resume(struct listener *l);

/* Closes; harmless on one that is zeroed or closed. */
void listener_close(struct listener *l);

#endif
