/* redis_conn: one connection, one redis_reader, one output buffer. Owns the three; dial.c makes the
 * connection. Signs in, then hands replies up as they come; what they answer is the caller's to
 * know. A connection may be freed from inside its own callbacks: it then goes when the last of them
 * has returned. */
#include "streamer/redis_conn.h"

#include <errno.h>
#include <ev.h>
#include <hiredis/hiredis.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/redis_login.h"
#include "common/wire.h"
#include "streamer/clock.h"
#include "streamer/dial.h"
#include "streamer/redis_reader.h"

#define READ_CHUNK                                                                                 \
	65536 /* one read a loop turn: a flood of messages must not starve the clients             \
	       */
#define REPLIES_AT_ONCE 64 /* until they are delivered */
#define FEED_BYTES                                                                                 \
	2048 /* given to hiredis at once: it moves all that is left of it after each KiB that it   \
		took */
#define OUT_MAX_BYTES ((size_t)256 * 1024 * 1024)
#define CONN_MAGIC    0x52454443u
#define WHY_BYTES     512

struct redis_conn {
	unsigned magic;
	unsigned depth; /* callbacks of ours on the stack */
	unsigned told;  /* replies handed up since the last drain */
	bool freed, over, up;
	unsigned login_replies; /* still to come */
	struct ev_loop *loop;
	const struct redis_login *login;
	const struct redis_conn_ops *ops;
	void *arg;
	size_t max_bytes;
	struct dial dial; /* until there is a connection */
	struct wire wire; /* from then on */
	ev_io io;
	ev_timer timer; /* connect and login */
	ev_timer rest;  /* until the next turn, while replies are left of this one */
	struct redis_reader *reader;
	size_t open_bytes; /* read, and not part of a whole reply yet */
	struct buf out;
	double heard;
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
	ev_timer_stop(c->loop, &c->rest);
	ev_io_stop(c->loop, &c->io);
	wire_close(&c->wire);
	dial_end(&c->dial);
}

static void destroy(struct redis_conn *c)
{
	stop_all(c);
	redis_reader_free(c->reader);
	buf_done(&c->out);
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
	if (c->wire.fd < 0 || (c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(c->loop, &c->io);
	ev_io_set(&c->io, c->wire.fd, events);
	if (!ev_is_active(&c->rest))
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

static int send_ping(struct redis_conn *c)
{
	static const char *argv[] = {"PING"};
	static const size_t lens[] = {4};

	return redis_conn_send(c, 1, argv, lens);
}

/* AUTH and SELECT as settings say; PING shows that Redis serves (not LOADING, not NOAUTH). */
static void sign_in(struct redis_conn *c)
{
	char why[WHY_BYTES] = "out of memory";
	int auth = redis_login_auth(c->login, &c->out, why, sizeof(why));
	int select = auth < 0 ? 0 : redis_login_select(c->login, &c->out);

	if (auth < 0 || select < 0 || send_ping(c) < 0)
		fail(c, why);
	else
		c->login_replies = (unsigned)(auth + select + 1);
}

static void login_refused(struct redis_conn *c, const char *words)
{
	char why[WHY_BYTES];

	snprintf(why, sizeof(why), "login refused: %.200s", words);
	fail(c, why);
}

static void login_reply(struct redis_conn *c, const struct redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR) {
		login_refused(c, reply->str);
		return;
	}
	if (--c->login_replies > 0)
		return;
	ev_timer_stop(c->loop, &c->timer);
	c->up = true;
	c->ops->up(c->arg);
}

/* ---- bytes ---- */

static void lost(struct redis_conn *c, enum io_status status)
{
	char why[WHY_BYTES];

	snprintf(why, sizeof(why), "%s",
		 status == IO_FAILED ? wire_why(&c->wire) : redis_login_closed(c->login, c->up));
	fail(c, why);
}

/* The password is not left behind in the buffer. */
static void all_written(struct redis_conn *c)
{
	if (!c->up && c->out.data)
		explicit_bzero(c->out.data, c->out.cap);
	want(c, EV_READ);
}

static void write_out(struct redis_conn *c)
{
	while (c->out.len > 0) {
		size_t n;
		enum io_status status = wire_write(&c->wire, c->out.data, c->out.len, &n);

		if (status == IO_OK) {
			buf_consume(&c->out, n);
		} else if (status == IO_WANT_READ || status == IO_WANT_WRITE) {
			want(c, status == IO_WANT_READ ? EV_READ : EV_READ | EV_WRITE);
			return;
		} else {
			lost(c, status);
			return;
		}
	}
	all_written(c);
}

/* What was told is delivered now. When that took long, whoever else waits for this turn of the loop
 * comes first. */
static void drain(struct redis_conn *c)
{
	c->told = 0;
	if (c->over || !c->ops->drained || c->ops->drained(c->arg) || c->over)
		return;
	ev_io_stop(c->loop, &c->io);
	ev_timer_set(&c->rest, 0., 0.);
	ev_timer_start(c->loop, &c->rest);
}

static void take_replies(struct redis_conn *c)
{
	while (!c->over && !ev_is_active(&c->rest)) {
		struct redisReply *reply;
		if (redis_reader_next(c->reader, &reply) != 0) {
			fail(c, "protocol error");
			return;
		}
		if (!reply)
			return;
		c->open_bytes = redis_reader_left(c->reader);
		if (c->up)
			c->ops->reply(c->arg, reply);
		else
			login_reply(c, reply);
		if (++c->told == REPLIES_AT_ONCE)
			drain(c);
	}
}

static void take_bytes(struct redis_conn *c, const char *bytes, size_t n)
{
	c->heard = clock_seconds();
	for (size_t slice; n > 0 && !c->over; bytes += slice, n -= slice) {
		slice = n < FEED_BYTES ? n : FEED_BYTES;
		c->open_bytes += slice;
		if (c->open_bytes > c->max_bytes && !ev_is_active(&c->rest))
			fail(c, "protocol error: a reply without end");
		else if (redis_reader_feed(c->reader, bytes, slice) != 0)
			fail(c, "protocol error");
		else
			take_replies(c);
	}
	if (c->told > 0)
		drain(c);
}

/* Under TLS one read gives a record at most, and the loop hears nothing of what is left of it. */
static void read_in(struct redis_conn *c)
{
	char chunk[READ_CHUNK];
	size_t n, budget = READ_CHUNK;

	do {
		enum io_status status = wire_read(&c->wire, chunk, sizeof(chunk), &n);

		if (status == IO_WANT_WRITE)
			want(c, EV_READ | EV_WRITE);
		else if (status == IO_CLOSED || status == IO_FAILED)
			lost(c, status);
		if (status != IO_OK)
			return;
		budget -= n < budget ? n : budget;
		take_bytes(c, chunk, n);
	} while (!c->over && !ev_is_active(&c->rest) &&
		 (wire_pending(&c->wire) || (c->wire.tls && budget > 0)));
}

static void on_rest(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct redis_conn *c = conn_of(w->data);
	(void)loop, (void)revents;
	enter(c);
	take_replies(c);
	if (c->told > 0)
		drain(c);
	if (!c->over && !ev_is_active(&c->rest)) {
		ev_io_start(c->loop, &c->io);
		if (wire_pending(&c->wire))
			read_in(c);
	}
	leave(c);
}

/* Under TLS either direction may wait for the other. */
static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct redis_conn *c = conn_of(w->data);
	(void)loop;
	enter(c);
	if ((revents & EV_WRITE || c->wire.tls) && !c->over)
		write_out(c);
	if ((revents & EV_READ || c->wire.tls) && !c->over)
		read_in(c);
	leave(c);
}

/* ---- life ---- */

static void on_dialled(void *arg, const char *why)
{
	struct redis_conn *c = conn_of(arg);

	enter(c);
	if (!why && !c->reader)
		why = (c->reader = redis_reader_new()) ? NULL : "out of memory";
	if (why) {
		fail(c, why);
	} else {
		c->wire = c->dial.wire;
		wire_init(&c->dial.wire);
		dial_end(&c->dial);
		c->heard = clock_seconds();
		want(c, EV_READ);
		sign_in(c);
	}
	leave(c);
}

/* The timer serves twice: at once for the start (no callback from inside redis_conn_new), then as
 * the limit. */
static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct redis_conn *c = conn_of(w->data);
	(void)loop, (void)revents;
	enter(c);
	fail(c, c->reader ? "no answer to the login in time" : dial_waits_for(&c->dial));
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
	dial_start(&c->dial, w->repeat);
	leave(c);
}

struct redis_conn *redis_conn_new(struct ev_loop *loop, const struct redis_login *login,
				  const struct redis_server *server, unsigned timeout_ms,
				  size_t max_bytes, const struct redis_conn_ops *ops, void *arg)
{
	struct redis_conn *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	if (dial_init(&c->dial, loop, server, login->tls, on_dialled, c) != 0) {
		dial_end(&c->dial);
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
	wire_init(&c->wire);
	buf_init(&c->out, OUT_MAX_BYTES);
	ev_io_init(&c->io, on_io, -1, 0);
	c->io.data = c;
	ev_timer_init(&c->timer, on_start, 0., timeout_ms / 1000.);
	c->timer.data = c;
	ev_timer_init(&c->rest, on_rest, 0., 0.);
	c->rest.data = c;
	ev_timer_start(loop, &c->timer);
	return c;
}
