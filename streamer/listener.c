/* listener: accept. What an accepted socket is for is its owner's; that EMFILE must not become a
 * busy loop is ours: the watcher rests until a client leaves, or for PAUSE_SECONDS. */
#include "streamer/listener.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH         64 /* connections accepted a loop turn */
#define PAUSE_SECONDS .1

static void on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)revents;
	listener_resume(w->data);
}

void listener_rest(struct listener *l)
{
	if (!l->loop || l->io.fd < 0)
		return;
	ev_io_stop(l->loop, &l->io);
	ev_timer_stop(l->loop, &l->pause);
}

/* No descriptor is free: tries again after a moment, since it need not be a client that frees one.
 */
static void take_a_break(struct listener *l)
{
	listener_rest(l);
	ev_timer_set(&l->pause, PAUSE_SECONDS, 0.);
	ev_timer_start(l->loop, &l->pause);
}

void listener_resume(struct listener *l)
{
	if (!l->loop || l->io.fd < 0)
		return;
	ev_timer_stop(l->loop, &l->pause);
	ev_io_start(l->loop, &l->io);
}

/* TCP sockets inherit what their listening one was tuned to (sockets.c), unix sockets do not. */
static void tune(const struct listener *l, int fd)
{
	int buffer = LISTENER_SEND_BUFFER;

	if (l->local)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
}

static bool out_of_descriptors(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

static void on_accept(struct ev_loop *loop, ev_io *w, int revents)
{
	struct listener *l = w->data;

	(void)loop, (void)revents;
	for (int i = 0; i < BATCH && ev_is_active(&l->io); i++) {
		int fd = accept4(l->io.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0) {
			if (out_of_descriptors(errno))
				take_a_break(l);
			return;
		}
		tune(l, fd);
		l->accept(l->arg, fd, l->admin);
	}
}

void listener_start(struct listener *l, struct ev_loop *loop, int fd, bool admin,
		    listener_accept_fn accept_fn, void *arg)
{
	struct sockaddr_storage here = {0};
	socklen_t len = sizeof(here);

	getsockname(fd, (struct sockaddr *)&here, &len);
	l->loop = loop;
	l->admin = admin;
	l->local = here.ss_family == AF_UNIX;
	l->accept = accept_fn;
	l->arg = arg;
	ev_io_init(&l->io, on_accept, fd, EV_READ);
	l->io.data = l;
	ev_init(&l->pause, on_pause_over);
	l->pause.data = l;
	ev_io_start(loop, &l->io);
}

void listener_close(struct listener *l)
{
	if (!l->loop || l->io.fd < 0)
		return;
	ev_timer_stop(l->loop, &l->pause);
	ev_io_stop(l->loop, &l->io);
	close(l->io.fd);
	ev_io_set(&l->io, -1, 0);
}
