/* sockets: socket, bind, listen. Who accepts, and what for, is listener.c's and others'. */
#include "streamer/sockets.h"

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
#include "common/log.h"
#include "streamer/config.h"
#include "streamer/listener.h"

#define BACKLOG      4096
#define DEAD_PEER_MS 60000u

/* ---- one socket ---- */

/* A stream of small frames must not wait for acknowledgements (TCP_NODELAY), and a peer that
 * vanished must not hold its place for ever: heartbeats that nobody acknowledges end it (RFC 5482).
 * On Linux what is accepted inherits all of it. */
static void tune(int fd)
{
	int on = 1, buffer = LISTENER_SEND_BUFFER;
	unsigned dead = DEAD_PEER_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof(dead));
}

/* A socket file without a listener is left over from a crash; one with a listener is another
 * server's; a file of another kind is nobody's to remove. */
static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat there;
	if (lstat(addr->sun_path, &there) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(there.st_mode))
		return -EEXIST;
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

static int bind_unix(int fd, const struct endpoint *at)
{
	int err = remove_stale((const struct sockaddr_un *)(const void *)&at->addr);
	if (err)
		return err;
	mode_t before = umask(0117); /* 0660: the web server's group may connect */
	err = bind(fd, (const struct sockaddr *)&at->addr, at->addr_len) == 0 ? 0 : -errno;
	umask(before);
	return err;
}

static int bind_inet(int fd, const struct endpoint *at, bool shared)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
		return -errno;
	tune(fd);
	return bind(fd, (const struct sockaddr *)&at->addr, at->addr_len) == 0 ? 0 : -errno;
}

/* Returns the descriptor or a negative errno. shared: others of ours have the same address. */
static int open_socket(const struct endpoint *at, bool shared)
{
	bool local = at->addr.ss_family == AF_UNIX;
	int fd = socket(at->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int err = local ? bind_unix(fd, at) : bind_inet(fd, at, shared);
	if (!err && listen(fd, BACKLOG) != 0)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* ---- one place ---- */

/* SO_REUSEPORT lets in whoever else asks for it, such as a second streamer by mistake. So first one
 * without it, which fails where anybody listens; its port stands for a port 0. */
static int probe(struct endpoint *at)
{
	int fd = open_socket(at, false);

	if (fd < 0)
		return fd;
	at->addr_len = sizeof(at->addr);
	int err = getsockname(fd, (struct sockaddr *)&at->addr, &at->addr_len) == 0 ? 0 : -errno;
	close(fd);
	return err;
}

static int open_all(struct listening *l, struct endpoint *at)
{
	int err = l->n > 1 ? probe(at) : 0;

	for (size_t i = 0; i < l->n && !err; i++) {
		l->fds[i] = open_socket(at, l->n > 1);
		if (l->fds[i] < 0)
			err = l->fds[i];
	}
	return err;
}

static int make_room(struct listening *l, const struct endpoint *at, unsigned workers)
{
	const struct sockaddr_un *name = (const struct sockaddr_un *)(const void *)&at->addr;
	bool local = at->addr.ss_family == AF_UNIX;

	l->n = local || l->admin ? 1 : workers;
	l->fds = calloc(l->n, sizeof(*l->fds));
	if (!l->fds)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++)
		l->fds[i] = -1;
	l->path = local ? strdup(name->sun_path) : NULL;
	return local && !l->path ? -ENOMEM : 0;
}

static void forget_path(struct listening *l, bool remove)
{
	if (l->path && remove)
		unlink(l->path);
	free(l->path);
	l->path = NULL;
}

static int open_place(struct sockets *s, const struct endpoint *where, bool admin, unsigned workers)
{
	struct listening *l = &s->all[s->n++];
	struct endpoint at = *where;
	char name[160];

	l->admin = admin;
	int err = make_room(l, &at, workers);
	if (!err)
		err = open_all(l, &at);
	if (!err && l->n == 1 && !l->path) { /* the port that a 0 stands for */
		at.addr_len = sizeof(at.addr);
		getsockname(l->fds[0], (struct sockaddr *)&at.addr, &at.addr_len);
	}
	endpoint_format((const struct sockaddr *)&at.addr, at.addr_len, name, sizeof(name));
	if (err) {
		forget_path(l, false); /* it is somebody else's */
		log_error("cannot listen at %s: %s", name, strerror(-err));
		return -1;
	}
	log_info("%s at %s", admin ? "admin" : "streams", name);
	return 0;
}

/* ---- all ---- */

int sockets_open(struct sockets *s, const struct config *config, unsigned workers)
{
	*s = (struct sockets){.all = calloc(config->n_listen + 1, sizeof(*s->all))};
	if (!s->all)
		return -1;
	for (size_t i = 0; i < config->n_listen; i++)
		if (open_place(s, &config->listen[i], false, workers) != 0)
			return -1;
	s->n_public = s->n;
	return config->admin_same ? 0 : open_place(s, &config->admin, true, workers);
}

static void close_socket(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void sockets_keep(struct sockets *s, unsigned worker)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->all[i].n && s->all[i].n > 1; k++)
			if (k != worker)
				close_socket(&s->all[i].fds[k]);
}

int sockets_take(struct sockets *s, size_t place, unsigned worker)
{
	struct listening *l = &s->all[place];
	int *at = &l->fds[l->n > 1 ? worker : 0];
	int fd = *at;

	*at = -1;
	return fd;
}

static void close_place(struct listening *l, bool remove)
{
	for (size_t k = 0; l->fds && k < l->n; k++)
		close_socket(&l->fds[k]);
	forget_path(l, remove);
}

void sockets_close_public(struct sockets *s)
{
	for (size_t i = 0; i < s->n_public; i++)
		close_place(&s->all[i], true);
}

void sockets_close(struct sockets *s, bool remove)
{
	for (size_t i = 0; i < s->n; i++) {
		close_place(&s->all[i], remove);
		free(s->all[i].fds);
	}
	free(s->all);
	*s = (struct sockets){0};
}
