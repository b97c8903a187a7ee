/* wire: see wire.h. Owns the socket and the TLS session over it. */
#include "common/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/tls.h"

void wire_init(struct wire *w)
{
	*w = (struct wire){.fd = -1};
}

void wire_close(struct wire *w)
{
	tls_session_free(w->tls);
	if (w->fd >= 0)
		close(w->fd);
	wire_init(w);
}

int wire_connect(struct wire *w, const struct sockaddr *address, unsigned length)
{
	int on = 1, err;

	w->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return -errno;
	if (address->sa_family != AF_UNIX) {
		setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(w->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	}
	if (connect(w->fd, address, length) == 0 || errno == EINPROGRESS)
		return 0;
	err = errno;
	wire_close(w);
	return -err;
}

int wire_connect_path(struct wire *w, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len);
	return wire_connect(w, (const struct sockaddr *)&address, sizeof(address));
}

int wire_connected(const struct wire *w)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	return -error;
}

int wire_begin_tls(struct wire *w, const struct tls_context *tls, const char *host)
{
	w->tls = tls_session_new(tls, w->fd, host);
	return w->tls ? 0 : -ENOMEM;
}

enum io_status wire_handshake(struct wire *w)
{
	return w->tls ? tls_session_handshake(w->tls) : IO_OK;
}

/* What a plain call that gave no bytes means; its errno is error. */
static enum io_status no_bytes(struct wire *w, int error, enum io_status wait)
{
	if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR)
		return wait;
	w->error = error;
	return error == ECONNRESET || error == EPIPE ? IO_CLOSED : IO_FAILED;
}

enum io_status wire_read(struct wire *w, void *bytes, size_t size, size_t *n)
{
	ssize_t got;

	if (w->tls)
		return tls_session_read(w->tls, bytes, size, n);
	got = recv(w->fd, bytes, size, 0);
	if (got == 0)
		return IO_CLOSED;
	if (got < 0)
		return no_bytes(w, errno, IO_WANT_READ);
	*n = (size_t)got;
	return IO_OK;
}

enum io_status wire_write(struct wire *w, const void *bytes, size_t size, size_t *n)
{
	ssize_t sent;

	if (w->tls)
		return tls_session_write(w->tls, bytes, size, n);
	sent = send(w->fd, bytes, size, MSG_NOSIGNAL);
	if (sent < 0)
		return no_bytes(w, errno, IO_WANT_WRITE);
	*n = (size_t)sent;
	return IO_OK;
}

bool wire_pending(const struct wire *w)
{
	return w->tls && tls_session_pending(w->tls);
}

bool wire_quiet(struct wire *w)
{
	struct pollfd fd = {.fd = w->fd, .events = POLLIN};
	char byte;
	size_t n;

	if (poll(&fd, 1, 0) == 0 && !wire_pending(w))
		return true;
	/* under TLS this takes in whatever is no data; data, or an end, is what must not be there
	 */
	return w->tls && tls_session_read(w->tls, &byte, 1, &n) == IO_WANT_READ;
}

const char *wire_why(const struct wire *w)
{
	return w->tls ? tls_session_why(w->tls) : strerror(w->error);
}
