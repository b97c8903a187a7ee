/* redis_sync: see redis_sync.h. hiredis only reads the protocol; the socket is ours, and all the
 * waiting is done in one place, under one deadline. Owns the connection and what was read from it.
 * What is worth a second try is decided by its caller. */
#include "publisher/redis_sync.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "common/buf.h"
#include "common/redis_login.h"
#include "common/wire.h"

#define MAX_REPLY_BYTES                                                                            \
	(1024 * 1024) /* the longest answer to us, the ids of a batch, is far below */
#define READ_CHUNK 16384
#define WHY_BYTES  512

struct redis_sync {
	const struct redis_login *login;
	char *path, *host; /* one of them */
	uint16_t port;
	struct wire wire;
	redisReader *reader; /* NULL: no connection */
	bool heard;          /* anything, on this connection */
	bool sent;
	char why[WHY_BYTES];
};

int64_t redis_sync_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct redis_sync *redis_sync_new(const struct redis_login *login,
				  const struct redis_server *server)
{
	struct redis_sync *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	wire_init(&r->wire);
	r->login = login;
	r->path = server->path ? strdup(server->path) : NULL;
	r->host = server->host ? strdup(server->host) : NULL;
	r->port = server->port;
	if (r->path || r->host)
		return r;
	free(r);
	return NULL;
}

static void drop_link(struct redis_sync *r)
{
	if (r->reader)
		redisReaderFree(r->reader);
	r->reader = NULL;
	r->heard = false;
	wire_close(&r->wire);
}

void redis_sync_free(struct redis_sync *r)
{
	if (!r)
		return;
	drop_link(r);
	free(r->path);
	free(r->host);
	free(r);
}

/* Notes why, throws the link away, gives the status back. */
static enum redis_sync_status fail(struct redis_sync *r, enum redis_sync_status status,
				   const char *why)
{
	snprintf(r->why, sizeof(r->why), "%s", why);
	drop_link(r);
	return status;
}

/* Waits until the socket is ready, or broken: what follows finds out. Notes nothing: false when the
 * deadline came first. */
static bool wait_for(const struct redis_sync *r, short events, int64_t deadline)
{
	struct pollfd fd = {.fd = r->wire.fd, .events = events};

	for (;;) {
		int64_t left = deadline - redis_sync_now();
		int n = poll(&fd, 1, left > 0 ? (int)left : 0);

		if (n > 0 || (n < 0 && errno != EINTR))
			return true;
		if (n == 0 && left <= 0)
			return false;
	}
}

/* After a step that gave status: waits for what it wants. REDIS_SYNC_OK: do it again. */
static enum redis_sync_status wait_or_fail(struct redis_sync *r, enum io_status status,
					   int64_t deadline)
{
	if (status == IO_FAILED)
		return fail(r, REDIS_SYNC_BROKEN, wire_why(&r->wire));
	if (status == IO_CLOSED)
		return fail(r, REDIS_SYNC_BROKEN, redis_login_closed(r->login, r->heard));
	if (wait_for(r, status == IO_WANT_READ ? POLLIN : POLLOUT, deadline))
		return REDIS_SYNC_OK;
	return fail(r, REDIS_SYNC_TIMEOUT, "no answer in time");
}

/* ---- connecting ---- */

/* One address. Returns 0 or a negative errno. */
static int try_address(struct redis_sync *r, const struct sockaddr *address, socklen_t len,
		       int64_t deadline)
{
	int rc = wire_connect(&r->wire, address, len);

	if (rc < 0)
		return rc;
	rc = wait_for(r, POLLOUT, deadline) ? wire_connected(&r->wire) : -ETIMEDOUT;
	if (rc < 0)
		wire_close(&r->wire);
	return rc;
}

/* All of them in turn: what is left of the time is shared out, so that one which swallows
 * everything leaves some for the next. */
static int try_addresses(struct redis_sync *r, const struct addrinfo *list, int64_t deadline)
{
	int rc = -EADDRNOTAVAIL, n = 0;

	for (const struct addrinfo *a = list; a; a = a->ai_next)
		n++;
	for (; list; list = list->ai_next, n--) {
		int64_t now = redis_sync_now();

		rc = try_address(r, list->ai_addr, list->ai_addrlen, now + (deadline - now) / n);
		if (rc == 0)
			break;
	}
	return rc;
}

static enum redis_sync_status connect_host(struct redis_sync *r, int64_t deadline)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list;
	char port[8];
	int rc;

	snprintf(port, sizeof(port), "%u", (unsigned)r->port);
	rc = getaddrinfo(r->host, port, &hints, &list);
	if (rc != 0)
		return fail(r, REDIS_SYNC_UNREACHABLE, gai_strerror(rc));
	rc = try_addresses(r, list, deadline);
	freeaddrinfo(list);
	if (rc == 0)
		return REDIS_SYNC_OK;
	if (rc == -ETIMEDOUT)
		return fail(r, REDIS_SYNC_TIMEOUT, "no connection in time");
	return fail(r, REDIS_SYNC_UNREACHABLE, strerror(-rc));
}

static enum redis_sync_status connect_path(struct redis_sync *r, int64_t deadline)
{
	int rc = wire_connect_path(&r->wire, r->path);

	if (rc == 0)
		rc = wait_for(r, POLLOUT, deadline) ? wire_connected(&r->wire) : -ETIMEDOUT;
	return rc < 0 ? fail(r, REDIS_SYNC_UNREACHABLE, strerror(-rc)) : REDIS_SYNC_OK;
}

static enum redis_sync_status begin_tls(struct redis_sync *r, int64_t deadline)
{
	enum io_status status;

	if (wire_begin_tls(&r->wire, r->login->tls, r->host) < 0)
		return fail(r, REDIS_SYNC_NOMEM, "out of memory");
	while ((status = wire_handshake(&r->wire)) != IO_OK) {
		if (status == IO_FAILED)
			return fail(r, REDIS_SYNC_UNREACHABLE, wire_why(&r->wire));
		if (wait_or_fail(r, status, deadline) != REDIS_SYNC_OK)
			return fail(r, REDIS_SYNC_TIMEOUT,
				    "no answer to the TLS handshake in time; is this "
				    "Redis's plain port?");
	}
	return REDIS_SYNC_OK;
}

static enum redis_sync_status open_link(struct redis_sync *r, int64_t deadline)
{
	enum redis_sync_status status =
		r->path ? connect_path(r, deadline) : connect_host(r, deadline);

	if (status == REDIS_SYNC_OK && r->login->tls)
		status = begin_tls(r, deadline);
	if (status == REDIS_SYNC_OK && !(r->reader = redisReaderCreate()))
		status = fail(r, REDIS_SYNC_NOMEM, "out of memory");
	return status;
}

/* ---- a command and its answer ---- */

static enum redis_sync_status send_command(struct redis_sync *r, struct span command,
					   int64_t deadline)
{
	r->sent = true;
	while (command.len > 0) {
		enum redis_sync_status status;
		size_t n;
		enum io_status io = wire_write(&r->wire, command.at, command.len, &n);

		if (io == IO_OK)
			command = (struct span){command.at + n, command.len - n};
		else if ((status = wait_or_fail(r, io, deadline)) != REDIS_SYNC_OK)
			return status;
	}
	return REDIS_SYNC_OK;
}

static enum redis_sync_status bad_protocol(struct redis_sync *r)
{
	enum redis_sync_status status =
		r->reader->err == REDIS_ERR_OOM ? REDIS_SYNC_NOMEM : REDIS_SYNC_BROKEN;
	char why[sizeof(r->reader->errstr)];

	memcpy(why, r->reader->errstr, sizeof(why));
	return fail(r, status, why);
}

/* Reads once and feeds what came to the reader. */
static enum redis_sync_status read_some(struct redis_sync *r, int64_t deadline)
{
	char chunk[READ_CHUNK];
	size_t n;
	enum io_status io = wire_read(&r->wire, chunk, sizeof(chunk), &n);

	if (io != IO_OK)
		return wait_or_fail(r, io, deadline);
	r->heard = true;
	if (redisReaderFeed(r->reader, chunk, n) != REDIS_OK)
		return bad_protocol(r);
	return REDIS_SYNC_OK;
}

static enum redis_sync_status receive_reply(struct redis_sync *r, int64_t deadline,
					    redisReply **reply)
{
	enum redis_sync_status status;
	void *read = NULL;

	for (;;) {
		if (redisReaderGetReply(r->reader, &read) != REDIS_OK)
			return bad_protocol(r);
		if (read)
			break;
		if (r->reader->len > MAX_REPLY_BYTES)
			return fail(r, REDIS_SYNC_BROKEN, "the answer is too long");
		status = read_some(r, deadline);
		if (status != REDIS_SYNC_OK)
			return status;
	}
	*reply = read;
	return REDIS_SYNC_OK;
}

static enum redis_sync_status transact(struct redis_sync *r, struct span command, int64_t deadline,
				       redisReply **reply)
{
	enum redis_sync_status status = send_command(r, command, deadline);

	return status == REDIS_SYNC_OK ? receive_reply(r, deadline, reply) : status;
}

/* ---- signing in ---- */

/* A command of the sign-in: anything but an error will do. */
static enum redis_sync_status sign_in_with(struct redis_sync *r, struct buf *command,
					   int64_t deadline)
{
	enum redis_sync_status status;
	redisReply *reply;

	status = transact(r, (struct span){command->data, command->len}, deadline, &reply);
	if (status != REDIS_SYNC_OK)
		return status;
	if (reply->type == REDIS_REPLY_ERROR)
		status = fail(r, REDIS_SYNC_REFUSED, reply->str);
	freeReplyObject(reply);
	return status;
}

static enum redis_sync_status authenticate(struct redis_sync *r, int64_t deadline)
{
	enum redis_sync_status status = REDIS_SYNC_OK;
	char why[WHY_BYTES];
	struct buf command;
	int n;

	buf_init(&command, 64 * 1024);
	n = redis_login_auth(r->login, &command, why, sizeof(why));
	if (n < 0)
		status = fail(r, REDIS_SYNC_UNREACHABLE, why);
	else if (n > 0)
		status = sign_in_with(r, &command, deadline);
	if (command.data)
		explicit_bzero(command.data, command.len);
	buf_done(&command);
	return status;
}

static enum redis_sync_status select_database(struct redis_sync *r, int64_t deadline)
{
	enum redis_sync_status status = REDIS_SYNC_OK;
	struct buf command;
	int n;

	buf_init(&command, 1024);
	n = redis_login_select(r->login, &command);
	if (n < 0)
		status = fail(r, REDIS_SYNC_NOMEM, "out of memory");
	else if (n > 0)
		status = sign_in_with(r, &command, deadline);
	buf_done(&command);
	return status;
}

static enum redis_sync_status sign_in(struct redis_sync *r, int64_t deadline)
{
	enum redis_sync_status status = authenticate(r, deadline);

	return status == REDIS_SYNC_OK ? select_database(r, deadline) : status;
}

/* On an idle link there is nothing to read, except its end (Redis restarted, or closed it as idle).
 */
static bool is_stale(struct redis_sync *r)
{
	return r->reader->len > r->reader->pos || !wire_quiet(&r->wire);
}

enum redis_sync_status redis_sync_call(struct redis_sync *r, struct span command, int64_t deadline,
				       struct redisReply **reply)
{
	enum redis_sync_status status = REDIS_SYNC_OK;

	if (r->reader && is_stale(r))
		drop_link(r);
	if (!r->reader) {
		status = open_link(r, deadline);
		if (status == REDIS_SYNC_OK)
			status = sign_in(r, deadline);
	}
	r->sent = false;
	return status == REDIS_SYNC_OK ? transact(r, command, deadline, reply) : status;
}

enum redis_sync_status redis_sync_call_linked(struct redis_sync *r, struct span command,
					      int64_t deadline, struct redisReply **reply)
{
	r->sent = false;
	if (!r->reader || is_stale(r))
		return fail(r, REDIS_SYNC_BROKEN, "the connection has ended");
	return transact(r, command, deadline, reply);
}

bool redis_sync_sent(const struct redis_sync *r)
{
	return r->sent;
}

const char *redis_sync_why(const struct redis_sync *r)
{
	return r->why;
}
