/* floor_source: where the floor's events come from: see floor.h. Either a control port, whose peer
 * says TOPIC LENGTH, a line end and so many bytes for each event; or Redis by SUBSCRIBE, whose
 * messages are {"event":…,"data":"…"}: of these the text of data, unread. */
#include "bench/floor.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/num.h"

static int open_control(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) || listen(fd, 16))
		floor_die("control port");
	return fd;
}

static redisContext *dial_redis(const char *to)
{
	const char *colon = strrchr(to, ':');
	redisContext *redis;
	char host[64];
	uint64_t port = 0;

	if (*to == '/') {
		redis = redisConnectUnix(to);
	} else {
		if (!colon || (size_t)(colon - to) >= sizeof(host) ||
		    num_parse_u64(colon + 1, strlen(colon + 1), 1, 65535, &port) < 0)
			floor_die("--redis");
		snprintf(host, sizeof(host), "%.*s", (int)(colon - to), to);
		redis = redisConnect(host, (int)port);
	}
	if (!redis || redis->err)
		floor_die("Redis");
	return redis;
}

int floor_source_open(struct floor *f)
{
	struct floor_source *s = &f->source;

	s->listener = s->control = -1;
	if (f->o->redis) {
		s->redis = dial_redis(f->o->redis);
		return s->redis->fd;
	}
	return s->listener = open_control(&f->o->control);
}

bool floor_source_has(const struct floor *f, int fd)
{
	const struct floor_source *s = &f->source;

	return fd == s->listener || fd == s->control || (s->redis && fd == s->redis->fd);
}

void floor_source_subscribe(struct floor *f, const char *name)
{
	redisContext *redis = f->source.redis;
	int done = 0;

	if (redisAppendCommand(redis, "SUBSCRIBE %s", name) != REDIS_OK)
		floor_die("SUBSCRIBE");
	while (!done)
		if (redisBufferWrite(redis, &done) != REDIS_OK)
			floor_die("SUBSCRIBE");
}

/* ---- from Redis ---- */

static void take_message(struct floor *f, const redisReply *reply)
{
	static const char key[] = "\"data\":\"";
	const redisReply *channel, *message;
	const char *begin, *end;

	if (reply->type == REDIS_REPLY_ERROR)
		floor_die(reply->str);
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
	    strcmp(reply->element[0]->str, "message") != 0)
		return;
	channel = reply->element[1];
	message = reply->element[2];
	begin = memmem(message->str, message->len, key, sizeof(key) - 1);
	if (!begin)
		return;
	begin += sizeof(key) - 1;
	end = memchr(begin, '"', (size_t)(message->str + message->len - begin));
	if (end)
		floor_publish(f, floor_topic(f, channel->str, channel->len), begin,
			      (size_t)(end - begin));
}

static void take_from_redis(struct floor *f)
{
	struct floor_source *s = &f->source;
	ssize_t n = recv(s->redis->fd, s->bytes, sizeof(s->bytes), MSG_DONTWAIT);
	void *reply;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || redisReaderFeed(s->redis->reader, s->bytes, (size_t)n) != REDIS_OK)
		floor_die("Redis");
	while (redisReaderGetReply(s->redis->reader, &reply) == REDIS_OK && reply) {
		take_message(f, reply);
		freeReplyObject(reply);
	}
}

/* ---- from the control port ---- */

/* The first event of at..end is whole: publishes it. Returns what it took, 0 when more must come.
 */
static size_t take_event(struct floor *f, const char *at, const char *end)
{
	const char *line = memchr(at, '\n', (size_t)(end - at));
	const char *blank = line ? memchr(at, ' ', (size_t)(line - at)) : NULL;
	uint64_t len;

	if (!line)
		return 0;
	if (!blank ||
	    num_parse_u64(blank + 1, (size_t)(line - blank - 1), 0, FLOOR_EVENT, &len) < 0)
		floor_die("control: not an event");
	if ((uint64_t)(end - line - 1) < len)
		return 0;
	floor_publish(f, floor_topic(f, at, (size_t)(blank - at)), line + 1, len);
	return (size_t)(line + 1 + len - at);
}

static void take_from_control(struct floor *f, int fd)
{
	struct floor_source *s = &f->source;
	ssize_t n = recv(fd, s->bytes + s->len, sizeof(s->bytes) - s->len, MSG_DONTWAIT);
	size_t used, done = 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		close(fd);
		s->control = -1;
		s->len = 0;
		return;
	}
	s->len += (size_t)n;
	while ((used = take_event(f, s->bytes + done, s->bytes + s->len)) > 0)
		done += used;
	s->len -= done;
	memmove(s->bytes, s->bytes + done, s->len);
}

int floor_source_take(struct floor *f, int fd)
{
	struct floor_source *s = &f->source;
	int on = 1;

	if (s->redis && fd == s->redis->fd) {
		take_from_redis(f);
	} else if (fd == s->listener) {
		fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		return s->control = fd;
	} else {
		take_from_control(f, fd);
	}
	return -1;
}
