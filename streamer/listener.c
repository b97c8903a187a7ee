/* listener: socket, bind, listen, accept. What an accepted socket is for is its owner's; that
 * EMFILE must not become a busy loop is ours: the watcher rests until a client leaves, or for
 * PAUSE_SECONDS. */
#include "streamer/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "common/endpoint.h"

#define BATCH         64 /* connections accepted a loop turn */
#define BACKLOG       4096
#define PAUSE_SECONDS .1
#define SEND_BUFFER                                                                                \
	65536 /* what a stalled client may hold in the kernel; without it that grows to megabytes  \
	       */
#define DEAD_PEER_MS 60000u

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

/* A stream of small frames must not wait for acknowledgements (TCP_NODELAY), and a peer that
 * vanished must not hold its place for ever: heartbeats that nobody acknowledges end it (RFC 5482).
 */
static void tune(int fd, int family)
{
	int on = 1, buffer = SEND_BUFFER;
	unsigned dead = DEAD_PEER_MS;

	if (family == AF_UNIX)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof(dead));
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
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);
		int fd = accept4(l->io.fd, (struct sockaddr *)&peer, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0) {
			if (out_of_descriptors(errno))
				take_a_break(l);
			return;
		}
		tune(fd, peer.ss_family);
		l->accept(l->arg, fd, l->admin);
	}
}

/* A socket file without a listener is left over from a crash; one with a listener is another
 * server's; a file of another kind is nobody's to remove. */
static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat there;
	if (lstat(addr->sun_path, &there) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(there.st_mode))
		return -EADDRINUSE;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int err = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ? -EADDRINUSE
										 : -errno;
	close(fd);
	if (err == -ECONNREFUSED)
		return unlink(addr->sun_path) == 0 ? 0 : -errno;
	if (err == -EAGAIN) /* it listens, and its queue is full */
		return -EADDRINUSE;
	return err == -ENOENT ? 0 : err;
}

static int open_unix(int fd, const struct endpoint *at)
{
	const struct sockaddr_un *addr = (const struct sockaddr_un *)(const void *)&at->addr;
	int err = remove_stale(addr);
	if (err)
		return err;
	mode_t before = umask(0117); /* 0660: the web server's group may connect */
	err = bind(fd, (const struct sockaddr *)&at->addr, at->addr_len) == 0 ? 0 : -errno;
	umask(before);
	return err;
}

static int open_inet(int fd, const struct endpoint *at)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind(fd, (const struct sockaddr *)&at->addr, at->addr_len) == 0 ? 0 : -errno;
}

int listener_open(struct listener *l, struct ev_loop *loop, const struct endpoint *at, bool admin,
		  listener_accept_fn accept_fn, void *arg, const char **why)
{
	bool local = at->addr.ss_family == AF_UNIX;
	int fd = socket(at->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err = fd < 0 ? -errno : 0;

	if (!err)
		err = local ? open_unix(fd, at) : open_inet(fd, at);
	if (!err && listen(fd, BACKLOG) != 0)
		err = -errno;
	if (!err && local) {
		const struct sockaddr_un *addr =
			(const struct sockaddr_un *)(const void *)&at->addr;
		l->path = strdup(addr->sun_path);
		err = l->path ? 0 : -ENOMEM;
	}
	if (err) {
		*why = strerror(-err);
		if (fd >= 0)
			close(fd);
		return err;
	}
	l->loop = loop;
	l->admin = admin;
	l->accept = accept_fn;
	l->arg = arg;
	ev_io_init(&l->io, on_accept, fd, EV_READ);
	l->io.data = l;
	ev_init(&l->pause, on_pause_over);
	l->pause.data = l;
	ev_io_start(loop, &l->io);
	return 0;
}

void listener_close(struct listener *l)
{
	if (!l->loop || l->io.fd < 0)
		return;
	ev_timer_stop(l->loop, &l->pause);
	ev_io_stop(l->loop, &l->io);
	close(l->io.fd);
	ev_io_set(&l->io, -1, 0);
	if (l->path)
		unlink(l->path);
	free(l->path);
	l->path = NULL;
}
