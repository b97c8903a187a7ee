/* client: the life of one connection: its watcher, its time limits, its end. Nobody is freed before
 * the end of a loop turn, so a fan-out may close whomever it meets. Owns fd, watcher, input and
 * queue; client_in.c reads a request and hands it up, client_out.c sends. Topics, verdicts and what
 * to answer are server.c's. */
#include "streamer/client_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "streamer/clock.h"
#include "streamer/stats.h"

#define CLIENT_MAGIC   0x434c4e54u
#define ENDING_SECONDS 10. /* to take the last bytes; who reads nothing would stay for ever */
#define LINGER_SECONDS 2.

#define CLIENT_OF_DEADLINE(d) ((struct client *)((char *)(d)-offsetof(struct client, deadline)))

static struct client *client_of(void *data)
{
	struct client *c = data;
	if (c->magic != CLIENT_MAGIC)
		abort();
	return c;
}

void client_watch(struct client *c, int events)
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

void client_start_deadline(struct client *c, struct deadline_list *list, ev_timer *timer)
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
void client_linger(struct client *c)
{
	c->state = CLIENT_LINGERING;
	shutdown(c->io.fd, SHUT_WR);
	client_watch(c, EV_READ);
	client_start_deadline(c, &c->all->lingering, &c->all->linger_timer);
}

/* ---- the loop ---- */

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct client *c = client_of(w->data);
	(void)loop;
	if (revents & EV_WRITE) {
		c->blocked = false;
		client_watch(c, EV_READ);
		client_make_pending(c);
	}
	if (revents & EV_READ)
		client_read(c);
}

static void on_request_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	static const struct http_error too_late = {408, "The request took too long"};
	struct clients *all = w->data;
	struct deadline *d;

	(void)revents;
	while ((d = deadline_pop(&all->requests, clock_seconds())))
		client_refuse(CLIENT_OF_DEADLINE(d), &too_late, NULL);
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
	client_start_deadline(c, &all->requests, &all->request_timer);
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
