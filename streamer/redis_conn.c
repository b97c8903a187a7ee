/* redis_conn: one socket, one redisReader, one output buffer. Owns the three and the look-up of the
 * name; tries each address in turn within one time limit. Replies are handed up as they come; what
 * they answer is the caller's to know. A connection may be freed from inside its own callbacks: it
 * then goes when the last of them has returned. */
#include "streamer/redis_conn.h"

#include <errno.h>
#include <ev.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "common/buf.h"
#include "common/redis_login.h"
#include "streamer/clock.h"
#include "streamer/resolve.h"

#define READ_CHUNK                                                                                 \
	65536 /* one read a loop turn: a flood of messages must not starve the clients             \
	       */
#define OUT_MAX_BYTES ((size_t)256 * 1024 * 1024)
#define MAX_ELEMENTS                                                                               \
	65536 /* of one array: room is made for all of them before the first one comes */
#define CONN_MAGIC 0x52454443u
#define WHY_BYTES  512

struct redis_conn {
	unsigned magic;
	unsigned depth; /* callbacks of ours on the stack */
	bool freed, over, up;
	unsigned login_replies; /* still to come */
	struct ev_loop *loop;
	const struct redis_login *login;
	char *path, *host; /* one of them */
	uint16_t port;
	const struct redis_conn_ops *ops;
	void *arg;
	size_t max_bytes;
	ev_io io;
	ev_timer timer; /* connect and login */
	struct resolve *resolve;
	struct addrinfo *list, *next_address;
	redisReader *reader;
	redisReplyObjectFunctions *plain,
		bounded;   /* hiredis's makers of replies, and ours round them */
	size_t open_bytes; /* read, and not part of a whole reply yet */
	struct buf out;
	double heard;
	int connect_error; /* of the last address tried */
};

static struct redis_conn *conn_of(void *data)
{
	struct redis_conn *c = data;
	if (c->magic != CONN_MAGIC)
		abort();
	return c;
}

static void stop_all(struct redis_conn *c)
{
	ev_timer_stop(c->loop, &c->timer);
	ev_io_stop(c->loop, &c->io);
	if (c->io.fd >= 0)
		close(c->io.fd);
	ev_io_set(&c->io, -1, 0);
	resolve_cancel(c->resolve);
	c->resolve = NULL;
}

static void destroy(struct redis_conn *c)
{
	stop_all(c);
	if (c->list)
		freeaddrinfo(c->list);
	if (c->reader)
		redisReaderFree(c->reader);
	buf_done(&c->out);
	free(c->path);
	free(c->host);
	c->magic = 0;
	free(c);
}

void redis_conn_free(struct redis_conn *c)
{
	if (!c)
		return;
	c->over = c->freed = true;
	if (c->depth == 0)
		destroy(c);
	else
		stop_all(c);
}

static void enter(struct redis_conn *c)
{
	c->depth++;
}

static void leave(struct redis_conn *c)
{
	if (--c->depth == 0 && c->freed)
		destroy(c);
}

static void fail(struct redis_conn *c, const char *why)
{
	if (c->over)
		return;
	c->over = true;
	stop_all(c);
	c->ops->down(c->arg, why);
}

double redis_conn_silence(const struct redis_conn *c)
{
	return clock_seconds() - c->heard;
}

static void want(struct redis_conn *c, int events)
{
	if (c->io.fd < 0 || (c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(c->loop, &c->io);
	ev_io_set(&c->io, c->io.fd, events);
	ev_io_start(c->loop, &c->io);
}

int redis_conn_write(struct redis_conn *c, struct span command)
{
	int err = buf_append(&c->out, command.at, command.len);
	if (!err && !c->over)
		want(c, EV_READ | EV_WRITE);
	return err ? -ENOMEM : 0;
}

int redis_conn_send(struct redis_conn *c, int argc, const char **argv, const size_t *lens)
{
	char *command = NULL;
	int len = redisFormatCommandArgv(&command, argc, argv, lens);

	if (len < 0)
		return -ENOMEM;
	int err = redis_conn_write(c, (struct span){command, (size_t)len});
	redisFreeCommand(command);
	return err;
}

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

static void *make_array(const redisReadTask *task, element_count n)
{
	struct redis_conn *c = task->privdata;
	return n > MAX_ELEMENTS ? NULL : c->plain->createArray(task, n);
}

static redisReader *make_reader(struct redis_conn *c)
{
	redisReader *reader = redisReaderCreate();
	if (!reader)
		return NULL;
	c->plain = reader->fn;
	c->bounded = *reader->fn;
	c->bounded.createArray = make_array;
	reader->fn = &c->bounded;
	reader->privdata = c;
	return reader;
}

/* AUTH and SELECT as settings say; PING shows that Redis serves (not LOADING, not NOAUTH). */
static void login(struct redis_conn *c)
{
	char why[WHY_BYTES] = "out of memory";
	int auth = redis_login_auth(c->login, &c->out, why, sizeof(why));
	int select = auth < 0 ? auth : redis_login_select(c->login, &c->out);
	static const char *ping[] = {"PING"};
	static const size_t len[] = {4};

	if (select < 0 || redis_conn_send(c, 1, ping, len) < 0) {
		fail(c, why);
		return;
	}
	c->login_replies = (unsigned)(auth + select + 1);
}

static void login_reply(struct redis_conn *c, const struct redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR) {
		char why[256];
		snprintf(why, sizeof(why), "login refused: %.200s", reply->str);
		fail(c, why);
		return;
	}
	if (--c->login_replies > 0)
		return;
	ev_timer_stop(c->loop, &c->timer);
	c->up = true;
	c->ops->up(c->arg);
}

static void connect_next(struct redis_conn *c);

/* The socket became writable for the first time: the connect is through, or it failed. */
static void connected(struct redis_conn *c)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(c->io.fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err) {
		c->connect_error = err;
		connect_next(c);
		return;
	}
	if (c->list)
		freeaddrinfo(c->list);
	c->list = c->next_address = NULL;
	c->reader = make_reader(c);
	if (!c->reader) {
		fail(c, "out of memory");
		return;
	}
	c->heard = clock_seconds();
	login(c);
}

static void write_out(struct redis_conn *c)
{
	while (c->out.len > 0) {
		ssize_t n = send(c->io.fd, c->out.data, c->out.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			fail(c, strerror(errno));
			return;
		}
		buf_consume(&c->out, (size_t)n);
	}
	want(c, EV_READ);
}

static void take_replies(struct redis_conn *c)
{
	while (!c->over) {
		void *reply = NULL;
		if (redisReaderGetReply(c->reader, &reply) != REDIS_OK) {
			fail(c, "protocol error");
			return;
		}
		if (!reply)
			return;
		c->open_bytes = c->reader->len - c->reader->pos;
		if (c->up)
			c->ops->reply(c->arg, reply);
		else
			login_reply(c, reply);
		freeReplyObject(reply);
	}
}

static void read_in(struct redis_conn *c)
{
	char chunk[READ_CHUNK];
	ssize_t n = recv(c->io.fd, chunk, sizeof(chunk), 0);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0) {
		fail(c, n == 0 ? "Redis closed the connection" : strerror(errno));
		return;
	}
	c->heard = clock_seconds();
	c->open_bytes += (size_t)n;
	if (c->open_bytes > c->max_bytes) {
		fail(c, "protocol error: a reply without end");
		return;
	}
	if (redisReaderFeed(c->reader, chunk, (size_t)n) != REDIS_OK) {
		fail(c, "protocol error");
		return;
	}
	take_replies(c);
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct redis_conn *c = conn_of(w->data);
	(void)loop;
	enter(c);
	if (!c->reader) {
		connected(c);
	} else {
		if ((revents & EV_WRITE) && !c->over)
			write_out(c);
		if ((revents & EV_READ) && !c->over)
			read_in(c);
	}
	leave(c);
}

static bool begin_connect(struct redis_conn *c, const struct sockaddr *addr, socklen_t len)
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0) {
		c->connect_error = errno;
		return false;
	}
	if (addr->sa_family != AF_UNIX) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	}
	if (connect(fd, addr, len) != 0 && errno != EINPROGRESS) {
		c->connect_error = errno;
		close(fd);
		return false;
	}
	ev_io_set(&c->io, fd, EV_WRITE);
	ev_io_start(c->loop, &c->io);
	return true;
}

static void connect_next(struct redis_conn *c)
{
	ev_io_stop(c->loop, &c->io);
	if (c->io.fd >= 0)
		close(c->io.fd);
	ev_io_set(&c->io, -1, 0);
	while (c->next_address) {
		struct addrinfo *a = c->next_address;
		c->next_address = a->ai_next;
		if (begin_connect(c, a->ai_addr, a->ai_addrlen))
			return;
	}
	fail(c, strerror(c->connect_error ? c->connect_error : EADDRNOTAVAIL));
}

static void connect_unix(struct redis_conn *c)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	size_t len = strlen(c->path);

	if (len >= sizeof(addr.sun_path)) {
		fail(c, "the path of the socket is too long");
		return;
	}
	memcpy(addr.sun_path, c->path, len);
	if (!begin_connect(c, (const struct sockaddr *)&addr, sizeof(addr)))
		fail(c, strerror(c->connect_error));
}

static void on_resolved(void *arg, struct addrinfo *list, const char *why)
{
	struct redis_conn *c = conn_of(arg);
	enter(c);
	c->resolve = NULL;
	c->list = c->next_address = list;
	if (list)
		connect_next(c);
	else
		fail(c, why);
	leave(c);
}

/* The timer serves twice: at once for the start (no callback from inside redis_conn_new), then as
 * the limit. */
static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct redis_conn *c = conn_of(w->data);
	(void)loop, (void)revents;
	enter(c);
	fail(c, c->reader ? "no answer to the login in time" : "no connection in time");
	leave(c);
}

static void on_start(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct redis_conn *c = conn_of(w->data);
	(void)revents;
	enter(c);
	ev_timer_stop(loop, w);
	ev_set_cb(w, on_limit);
	ev_timer_again(loop, w); /* repeat is the limit */
	if (c->path) {
		connect_unix(c);
	} else {
		c->resolve = resolve_begin(loop, c->host, c->port, on_resolved, c);
		if (!c->resolve)
			fail(c, "out of memory or threads");
	}
	leave(c);
}

struct redis_conn *redis_conn_new(struct ev_loop *loop, const struct redis_login *login,
				  const struct redis_server *server, unsigned timeout_ms,
				  size_t max_bytes, const struct redis_conn_ops *ops, void *arg)
{
	struct redis_conn *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->path = server->path ? strdup(server->path) : NULL;
	c->host = server->host ? strdup(server->host) : NULL;
	c->port = server->port;
	if (!c->path && !c->host) {
		free(c);
		return NULL;
	}
	c->magic = CONN_MAGIC;
	c->loop = loop;
	c->login = login;
	c->ops = ops;
	c->arg = arg;
	c->max_bytes = max_bytes;
	c->heard = clock_seconds();
	buf_init(&c->out, OUT_MAX_BYTES);
	ev_io_init(&c->io, on_io, -1, 0);
	c->io.data = c;
	ev_timer_init(&c->timer, on_start, 0., timeout_ms / 1000.);
	c->timer.data = c;
	ev_timer_start(loop, &c->timer);
	return c;
}
