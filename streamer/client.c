/* client: the socket side of one connection. Owns fd, watcher, input and queue; hands a whole
 * request up and sends frames down, many of them in one call at the end of a loop turn. Nobody is
 * freed before that end, so a fan-out may close whomever it meets. Topics, verdicts and what to
 * answer are server.c's. */
#include "streamer/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "streamer/answer.h"
#include "streamer/batch.h"
#include "streamer/clock.h"
#include "streamer/frame.h"
#include "streamer/stats.h"

#define CLIENT_MAGIC    0x434c4e54u
#define READ_CHUNK      4096
#define MAX_THROWN_AWAY 65536
#define MAX_PIECES      64  /* frames a writev */
#define ENDING_SECONDS  10. /* to take the last bytes; who reads nothing would stay for ever */
#define LINGER_SECONDS  2.

#define CLIENT_OF_DEADLINE(d) ((struct client *)((char *)(d)-offsetof(struct client, deadline)))

static struct client *client_of(void *data)
{
	struct client *c = data;
	if (c->magic != CLIENT_MAGIC)
		abort();
	return c;
}

static void watch(struct client *c, int events)
{
	if ((c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(c->all->loop, &c->io);
	ev_io_set(&c->io, c->io.fd, events);
	ev_io_start(c->all->loop, &c->io);
}

static void rearm(struct ev_loop *loop, ev_timer *timer, const struct deadline_list *list)
{
	double first = deadline_first(list);
	ev_timer_stop(loop, timer);
	if (first < 0)
		return;
	double after = first - clock_seconds();
	ev_timer_set(timer, after > 0 ? after : 0., 0.);
	ev_timer_start(loop, timer);
}

static void start_deadline(struct client *c, struct deadline_list *list, ev_timer *timer)
{
	deadline_start(list, &c->deadline, clock_seconds());
	if (!ev_is_active(timer))
		rearm(c->all->loop, timer, list);
}

/* ---- the end ---- */

void client_close(struct client *c, enum client_reason reason)
{
	if (c->state == CLIENT_DEAD)
		return;
	if (reason == CLIENT_SLOW)
		c->all->events_dropped += c->out.events;
	c->state = CLIENT_DEAD;
	c->reason = (uint8_t)reason;
	ev_io_stop(c->all->loop, &c->io);
	close(c->io.fd);
	deadline_stop(&c->deadline);
	outq_done(&c->out);
	c->next_dead = c->all->dead;
	c->all->dead = c;
}

static void reap(struct clients *all)
{
	while (all->dead) {
		struct client *c = all->dead;
		all->dead = c->next_dead;
		all->ops->closed(all->arg, c, (enum client_reason)c->reason);
		if (c->prev)
			c->prev->next = c->next;
		else
			all->first = c->next;
		if (c->next)
			c->next->prev = c->prev;
		all->count--;
		free(c->input);
		c->magic = 0;
		free(c);
	}
}

/* All is sent. Closing with unread bytes from the peer would reset the connection and may destroy
 * the answer on its way (RFC 9112 section 9.6), so: close our half, read the other one to its end
 * for a while. */
static void linger(struct client *c)
{
	c->state = CLIENT_LINGERING;
	shutdown(c->io.fd, SHUT_WR);
	watch(c, EV_READ);
	start_deadline(c, &c->all->lingering, &c->all->linger_timer);
}

/* ---- out ---- */

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
			watch(c, EV_READ | EV_WRITE);
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
		linger(c);
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

static void make_pending(struct client *c)
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
	return c->held && !c->blocked && !is_over(c, c->out.events, c->out.bytes);
}

static void push(struct client *c, struct frame *f, int (*onto)(struct outq *q, struct frame *f))
{
	if (!takes_frames(c))
		return;
	conflate(c, f);
	if (onto(&c->out, f) != 0)
		client_close(c, CLIENT_NO_MEMORY);
	else if (!stays(c))
		make_pending(c);
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
		make_pending(c);
}

void client_release(struct client *c)
{
	c->held = false;
	client_hurry(c);
}

void client_tell_when_empty(struct client *c)
{
	c->tell_empty = true;
	make_pending(c);
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
	start_deadline(c, &c->all->ending, &c->all->ending_timer);
	make_pending(c);
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

/* ---- in ---- */

static int keep_input(struct client *c, const char *bytes, size_t len)
{
	size_t need = c->input_len + len;

	if (need > c->input_cap) {
		size_t cap = c->input_cap ? (size_t)c->input_cap * 2 : 1024;
		if (cap < need)
			cap = need;
		char *grown = realloc(c->input, cap);
		if (!grown)
			return -ENOMEM;
		c->input = grown;
		c->input_cap = (uint32_t)cap;
	}
	memcpy(c->input + c->input_len, bytes, len);
	c->input_len += (uint32_t)len;
	return 0;
}

static void refuse(struct client *c, const struct http_error *error, const struct http_request *r)
{
	char *input = c->input;

	c->input = NULL;
	c->state = CLIENT_WAITING;
	deadline_stop(&c->deadline);
	c->all->ops->refuse(c->all->arg, c, error, r);
	free(input);
}

/* RFC 9110 section 10.1.1: somebody waits for leave to send the body. */
static void say_continue(struct client *c, const struct http_request *r)
{
	if (c->continued || r->minor == 0 ||
	    !http_name_equal(http_request_header(r, "Expect"), span_of("100-continue")))
		return;
	c->continued = true;
	client_push(c, answer_continue());
}

static void await_body(struct client *c, const struct http_request *r, size_t body_len)
{
	c->input_need = (uint32_t)(r->head_len + body_len);
	say_continue(c, r);
}

static void hand_over(struct client *c, const struct http_request *r, size_t body_len)
{
	char *input = c->input;
	struct span body = {input + r->head_len, body_len};

	c->input = NULL;
	c->state = CLIENT_WAITING;
	deadline_stop(&c->deadline);
	c->all->ops->request(c->all->arg, c, r, body, input);
}

static void try_request(struct client *c)
{
	struct http_request r;
	struct http_error error;
	size_t body_len = 0;
	enum http_parse state = http_request_parse(c->input, c->input_len, &r, &error);

	bool head = state == HTTP_DONE;
	if (head)
		state = http_request_body(&r, c->all->config.max_body, &body_len, &error);
	if (state == HTTP_BAD)
		refuse(c, &error, head ? &r : NULL);
	else if (state == HTTP_DONE && c->input_len - r.head_len >= body_len)
		hand_over(c, &r, body_len);
	else if (state == HTTP_DONE)
		await_body(c, &r, body_len);
}

static void on_bytes(struct client *c, const char *bytes, size_t len)
{
	if (c->state == CLIENT_READING) {
		if (keep_input(c, bytes, len) != 0)
			client_close(c, CLIENT_NO_MEMORY);
		else if (c->input_len >= c->input_need)
			try_request(c);
		return;
	}
	c->thrown_away += (uint32_t)len;
	if (c->thrown_away > MAX_THROWN_AWAY)
		client_close(c, CLIENT_NOISY);
}

/* A peer that closed its sending half is taken as gone: browsers and proxies never do that while
 * they listen. While an answer is on its way out it may. */
static void on_end(struct client *c, bool error)
{
	if (!error && c->state == CLIENT_ENDING) {
		if (c->blocked)
			watch(c, EV_WRITE);
		return;
	}
	client_close(c, c->state == CLIENT_LINGERING ? CLIENT_ANSWERED : CLIENT_PEER_GONE);
}

static void read_some(struct client *c)
{
	char chunk[READ_CHUNK];
	ssize_t n = recv(c->io.fd, chunk, sizeof(chunk), 0);

	if (n > 0)
		on_bytes(c, chunk, (size_t)n);
	else if (n == 0)
		on_end(c, false);
	else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		on_end(c, true);
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct client *c = client_of(w->data);
	(void)loop;
	if (revents & EV_WRITE) {
		c->blocked = false;
		watch(c, EV_READ);
		make_pending(c);
	}
	if (revents & EV_READ)
		read_some(c);
}

static void on_request_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	static const struct http_error too_late = {408, "The request took too long"};
	struct clients *all = w->data;
	struct deadline *d;

	(void)revents;
	while ((d = deadline_pop(&all->requests, clock_seconds())))
		refuse(CLIENT_OF_DEADLINE(d), &too_late, NULL);
	rearm(loop, w, &all->requests);
}

static void on_ending_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct clients *all = w->data;
	struct deadline *d;

	(void)revents;
	while ((d = deadline_pop(&all->ending, clock_seconds())))
		client_close(CLIENT_OF_DEADLINE(d), CLIENT_SLOW);
	rearm(loop, w, &all->ending);
}

static void on_linger_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct clients *all = w->data;
	struct deadline *d;

	(void)revents;
	while ((d = deadline_pop(&all->lingering, clock_seconds())))
		client_close(CLIENT_OF_DEADLINE(d), CLIENT_ANSWERED);
	rearm(loop, w, &all->lingering);
}

/* ---- life ---- */

/* The last thing before the loop waits: one write a client for all frames of this turn, then the
 * dead go. */
static void on_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct clients *all = w->data;
	(void)loop, (void)revents;
	clients_flush(all);
	if (all->events_since != 0) {
		histogram_add(all->config.delivery, clock_seconds() - all->events_since);
		all->events_since = 0;
	}
	reap(all);
}

struct client *client_new(struct clients *all, int fd, bool admin)
{
	struct client *c = calloc(1, sizeof(*c));
	if (!c) {
		close(fd);
		return NULL;
	}
	c->magic = CLIENT_MAGIC;
	c->state = CLIENT_READING;
	c->admin = admin;
	c->limited = true;
	c->all = all;
	outq_init(&c->out);
	deadline_init(&c->deadline);
	ev_io_init(&c->io, on_io, fd, EV_READ);
	c->io.data = c;
	ev_io_start(all->loop, &c->io);
	c->next = all->first;
	if (c->next)
		c->next->prev = c;
	all->first = c;
	all->count++;
	start_deadline(c, &all->requests, &all->request_timer);
	return c;
}

int client_peer(const struct client *c, struct sockaddr_storage *addr)
{
	socklen_t len = sizeof(*addr);
	memset(addr, 0, sizeof(*addr));
	return getpeername(c->io.fd, (struct sockaddr *)addr, &len) == 0 ? 0 : -errno;
}

void clients_init(struct clients *all, struct ev_loop *loop, const struct clients_config *config,
		  const struct client_ops *ops, void *arg)
{
	memset(all, 0, sizeof(*all));
	all->loop = loop;
	all->config = *config;
	all->ops = ops;
	all->arg = arg;
	deadline_list_init(&all->requests, config->request_seconds);
	deadline_list_init(&all->ending, ENDING_SECONDS);
	deadline_list_init(&all->lingering, LINGER_SECONDS);
	ev_init(&all->request_timer, on_request_timer);
	all->request_timer.data = all;
	ev_init(&all->ending_timer, on_ending_timer);
	all->ending_timer.data = all;
	ev_init(&all->linger_timer, on_linger_timer);
	all->linger_timer.data = all;
	ev_prepare_init(&all->turn, on_turn);
	ev_set_priority(&all->turn, EV_MINPRI); /* behind every other watcher of the turn */
	all->turn.data = all;
	ev_prepare_start(loop, &all->turn);
}

void clients_done(struct clients *all)
{
	for (struct client *c = all->first; c; c = c->next)
		client_close(c, CLIENT_SHUTDOWN);
	clients_flush(all);
	reap(all);
	ev_prepare_stop(all->loop, &all->turn);
	ev_timer_stop(all->loop, &all->request_timer);
	ev_timer_stop(all->loop, &all->ending_timer);
	ev_timer_stop(all->loop, &all->linger_timer);
}
