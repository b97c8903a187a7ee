/* client_out: what goes to one client. Part of client (client_inside.h). Frames are queued, and
 * leave in one write at the end of the loop turn; what a topic brings leaves at once where nothing
 * waits. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "streamer/batch.h"
#include "streamer/client_inside.h"
#include "streamer/frame.h"

#define MAX_PIECES 64 /* frames a writev */

static ssize_t send_some(struct client *c)
{
	struct iovec pieces[MAX_PIECES];
	struct msghdr message = {.msg_iov = pieces};
	ssize_t n;

	message.msg_iovlen = (size_t)outq_iovec(&c->out, pieces, MAX_PIECES);
	do
		n = sendmsg(c->io.fd, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool is_over(const struct client *c, uint64_t events, uint64_t bytes)
{
	const struct clients_config *config = &c->all->config;
	return events > config->max_queue_size || bytes > config->max_queue_bytes;
}

/* What waits counts from when the socket has refused some of it. */
static bool counts(const struct client *c)
{
	return c->limited && c->blocked && c->out.events > 0;
}

static bool too_slow(const struct client *c)
{
	return c->all->config.slow != CLIENT_DROPS && counts(c) &&
	       is_over(c, c->out.events, c->out.bytes);
}

bool client_is_full(const struct client *c)
{
	return c->all->config.slow == CLIENT_DROPS && counts(c) &&
	       is_over(c, (uint64_t)c->out.events + 1, c->out.bytes + 1);
}

static void took(struct client *c, size_t n)
{
	uint32_t events = c->out.events;

	outq_sent(&c->out, n);
	c->all->events_sent += events - c->out.events;
}

static void send_all(struct client *c)
{
	while (!c->blocked && !outq_empty(&c->out)) {
		ssize_t n = send_some(c);
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
			client_close(c, CLIENT_PEER_GONE);
			return;
		}
		if (n < 0) {
			c->blocked = true;
			client_watch(c, EV_READ | EV_WRITE);
			break;
		}
		took(c, (size_t)n);
	}
}

static void flush(struct client *c)
{
	send_all(c);
	if (c->state == CLIENT_DEAD)
		return;
	if (too_slow(c))
		client_close(c, CLIENT_SLOW);
	else if (c->state == CLIENT_ENDING && outq_empty(&c->out))
		client_linger(c);
	if (c->state == CLIENT_WAITING && c->tell_empty && outq_empty(&c->out)) {
		c->tell_empty = false;
		c->all->ops->empty(c->all->arg, c);
	}
}

bool client_flush(struct client *c)
{
	if (c->state == CLIENT_WAITING)
		send_all(c);
	return c->state == CLIENT_WAITING && outq_empty(&c->out);
}

void client_limit(struct client *c, bool limited)
{
	c->limited = limited;
}

void client_make_pending(struct client *c)
{
	if (c->pending)
		return;
	c->pending = true;
	c->next_pending = c->all->pending;
	c->all->pending = c;
}

static bool takes_frames(const struct client *c)
{
	return c->state == CLIENT_READING || c->state == CLIENT_WAITING;
}

static void conflate(struct client *c, const struct frame *f)
{
	if (c->blocked && c->all->config.slow == CLIENT_CONFLATES && outq_conflate(&c->out, f))
		c->all->events_conflated++;
}

/* What is held is bounded as what the socket refuses. */
static bool stays(const struct client *c)
{
	return c->held && !is_over(c, c->out.events, c->out.bytes);
}

static void push(struct client *c, struct frame *f, int (*onto)(struct outq *q, struct frame *f))
{
	if (!takes_frames(c))
		return;
	conflate(c, f);
	if (onto(&c->out, f) != 0)
		client_close(c, CLIENT_NO_MEMORY);
	else if (too_slow(c))
		client_close(c, CLIENT_SLOW);
	else if (!c->blocked && !stays(c))
		client_make_pending(c);
}

void client_push(struct client *c, struct frame *f)
{
	push(c, f, outq_push);
}

void client_push_body(struct client *c, struct frame *f)
{
	push(c, f, outq_push_body);
}

static void push_burst(struct client *c, const struct burst *b)
{
	for (unsigned i = 0; i < b->n; i++)
		client_push(c, b->frames[i]);
}

bool client_is_idle(const struct client *c)
{
	return c->state == CLIENT_WAITING && !c->blocked && !c->held && outq_empty(&c->out);
}

void client_send(struct client *c, const struct burst *b)
{
	ssize_t n = send(c->io.fd, b->bytes, b->len, MSG_NOSIGNAL);
	if (n == (ssize_t)b->len) {
		c->all->events_sent += b->n;
		return;
	}
	push_burst(c, b); /* the end of the turn finds out what else is wrong */
	if (n > 0 && c->state == CLIENT_WAITING)
		took(c, (size_t)n);
}

void client_hold(struct client *c)
{
	c->held = true;
}

void client_hurry(struct client *c)
{
	if (takes_frames(c) && !outq_empty(&c->out))
		client_make_pending(c);
}

void client_release(struct client *c)
{
	c->held = false;
	client_hurry(c);
}

void client_tell_when_empty(struct client *c)
{
	c->tell_empty = true;
	client_make_pending(c);
}

void client_push_taken(struct client *c, struct frame *f)
{
	if (!f) {
		client_close(c, CLIENT_NO_MEMORY);
		return;
	}
	client_push(c, f);
	frame_unref(f);
}

void client_end(struct client *c)
{
	if (!takes_frames(c))
		return;
	c->state = CLIENT_ENDING;
	client_start_deadline(c, &c->all->ending, &c->all->ending_timer);
	client_make_pending(c);
}

void clients_flush(struct clients *all)
{
	while (all->pending) {
		struct client *c = all->pending;
		all->pending = c->next_pending;
		c->pending = false;
		if (c->state != CLIENT_DEAD)
			flush(c);
	}
}
