/* redis_sync: see redis_sync.h. hiredis does the protocol on a non-blocking socket; the waiting is
 * done here with poll, since hiredis's own time-outs count anew with each read. Owns the
 * connection. What is worth a second try is decided by its caller. */
#include "publisher/redis_sync.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "common/buf.h"
#include "common/redis_login.h"

#define MAX_REPLY_BYTES                                                                            \
	(1024 * 1024) /* the longest answer to us, the ids of a batch, is far below */
#define WHY_BYTES 256

struct redis_sync {
	const struct redis_login *login;
	char *path, *host; /* one of them */
	uint16_t port;
	redisContext *link; /* NULL: none */
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
	if (r->link)
		redisFree(r->link);
	r->link = NULL;
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

/* Waits until the socket is ready, or broken: what follows finds out. */
static enum redis_sync_status wait_for(struct redis_sync *r, short events, int64_t deadline)
{
	struct pollfd fd = {.fd = r->link->fd, .events = events};

	for (;;) {
		int64_t left = deadline - redis_sync_now();
		int n = poll(&fd, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return REDIS_SYNC_OK;
		if (n == 0 && left <= 0)
			return fail(r, REDIS_SYNC_TIMEOUT, "no answer in time");
		if (n < 0 && errno != EINTR)
			return fail(r, REDIS_SYNC_BROKEN, strerror(errno));
	}
}

static enum redis_sync_status open_link(struct redis_sync *r, int64_t deadline)
{
	enum redis_sync_status status;
	socklen_t len = sizeof(int);
	int error = 0;

	r->link = r->path ? redisConnectUnixNonBlock(r->path)
			  : redisConnectNonBlock(r->host, r->port);
	if (!r->link)
		return fail(r, REDIS_SYNC_NOMEM, "out of memory");
	if (r->link->err) {
		char why[sizeof(r->link->errstr)];

		memcpy(why, r->link->errstr, sizeof(why));
		return fail(r, REDIS_SYNC_UNREACHABLE, why);
	}
	status = wait_for(r, POLLOUT, deadline);
	if (status != REDIS_SYNC_OK)
		return status;
	if (getsockopt(r->link->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	return error ? fail(r, REDIS_SYNC_UNREACHABLE, strerror(error)) : REDIS_SYNC_OK;
}

static enum redis_sync_status broken(struct redis_sync *r)
{
	char why[sizeof(r->link->errstr)];

	memcpy(why, r->link->errstr, sizeof(why));
	return fail(r, r->link->err == REDIS_ERR_OOM ? REDIS_SYNC_NOMEM : REDIS_SYNC_BROKEN, why);
}

static enum redis_sync_status send_command(struct redis_sync *r, struct span command,
					   int64_t deadline)
{
	enum redis_sync_status status = REDIS_SYNC_OK;
	int done = 0;

	if (redisAppendFormattedCommand(r->link, command.at, command.len) != REDIS_OK)
		return broken(r);
	r->sent = true;
	while (status == REDIS_SYNC_OK && !done) {
		if (redisBufferWrite(r->link, &done) != REDIS_OK)
			return broken(r);
		if (!done)
			status = wait_for(r, POLLOUT, deadline);
	}
	return status;
}

static enum redis_sync_status receive_reply(struct redis_sync *r, int64_t deadline,
					    redisReply **reply)
{
	enum redis_sync_status status = REDIS_SYNC_OK;
	void *read = NULL;

	for (;;) {
		if (redisGetReplyFromReader(r->link, &read) != REDIS_OK)
			return broken(r);
		if (read)
			break;
		if (r->link->reader->len > MAX_REPLY_BYTES)
			return fail(r, REDIS_SYNC_BROKEN, "the answer is too long");
		status = wait_for(r, POLLIN, deadline);
		if (status != REDIS_SYNC_OK)
			return status;
		if (redisBufferRead(r->link) != REDIS_OK)
			return broken(r);
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

static enum redis_sync_status sign_in(struct redis_sync *r, int64_t deadline)
{
	enum redis_sync_status status = REDIS_SYNC_OK;
	char why[WHY_BYTES] = "out of memory";
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
	buf_clear(&command);
	if (status == REDIS_SYNC_OK && (n = redis_login_select(r->login, &command)) != 0)
		status = n < 0 ? fail(r, REDIS_SYNC_NOMEM, why)
			       : sign_in_with(r, &command, deadline);
	buf_done(&command);
	return status;
}

/* On an idle link there is nothing to read, except its end (Redis restarted, or closed it as idle).
 */
static bool is_stale(const struct redis_sync *r)
{
	struct pollfd fd = {.fd = r->link->fd, .events = POLLIN};

	return poll(&fd, 1, 0) != 0;
}

enum redis_sync_status redis_sync_call(struct redis_sync *r, struct span command, int64_t deadline,
				       struct redisReply **reply)
{
	enum redis_sync_status status = REDIS_SYNC_OK;

	if (r->link && is_stale(r))
		drop_link(r);
	if (!r->link) {
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
	if (!r->link || is_stale(r))
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
