/* dial: see dial.h. Owns the look-up, the list of addresses and the wire until that is open. The
 * time limit is kept by its caller; here it is only shared out, so that an address that swallows
 * everything leaves time for the next. */
#include "streamer/dial.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/redis_url.h"
#include "streamer/clock.h"
#include "streamer/resolve.h"

#define WHY_BYTES        512
#define DIAL_MIN_SECONDS .05 /* for one address, however many there are */

static void stop_watching(struct dial *d)
{
	ev_io_stop(d->loop, &d->io);
	ev_timer_stop(d->loop, &d->turn);
}

static void finish(struct dial *d, const char *why)
{
	stop_watching(d);
	if (why)
		wire_close(&d->wire);
	d->done(d->arg, why);
}

static void watch(struct dial *d, int events)
{
	ev_io_stop(d->loop, &d->io);
	ev_io_set(&d->io, d->wire.fd, events);
	ev_io_start(d->loop, &d->io);
}

/* ---- connected: TLS ---- */

/* The words are the session's, which goes with the wire. */
static void refuse(struct dial *d)
{
	char why[WHY_BYTES];

	snprintf(why, sizeof(why), "%s", wire_why(&d->wire));
	finish(d, why);
}

static void shake_hands(struct dial *d)
{
	switch (wire_handshake(&d->wire)) {
	case IO_OK: finish(d, NULL); break;
	case IO_WANT_READ: watch(d, EV_READ); break;
	case IO_WANT_WRITE: watch(d, EV_WRITE); break;
	case IO_CLOSED:
	case IO_FAILED: refuse(d); break;
	}
}

/* A certificate that is not good ends it: the other addresses are the same server's. */
static void begin_tls(struct dial *d)
{
	ev_timer_stop(d->loop, &d->turn);
	if (!d->tls)
		finish(d, NULL);
	else if (wire_begin_tls(&d->wire, d->tls, d->host) != 0)
		finish(d, "out of memory");
	else
		shake_hands(d);
}

/* ---- one address after the other ---- */

static size_t count(const struct addrinfo *list)
{
	size_t n = 0;

	for (; list; list = list->ai_next)
		n++;
	return n;
}

static void begin_turn(struct dial *d, size_t addresses)
{
	double share = (d->deadline - clock_seconds()) / (double)addresses;

	watch(d, EV_WRITE);
	d->turn.repeat = share > DIAL_MIN_SECONDS ? share : DIAL_MIN_SECONDS;
	if (addresses > 1)
		ev_timer_again(d->loop, &d->turn);
}

static void try_next(struct dial *d)
{
	stop_watching(d);
	wire_close(&d->wire);
	while (d->next) {
		struct addrinfo *a = d->next;
		int rc = wire_connect(&d->wire, a->ai_addr, a->ai_addrlen);

		d->next = a->ai_next;
		if (rc == 0) {
			begin_turn(d, 1 + count(d->next));
			return;
		}
		d->error = -rc;
	}
	finish(d, strerror(d->error ? d->error : EADDRNOTAVAIL));
}

static void on_turn_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct dial *d = w->data;
	(void)loop, (void)revents;
	d->error = ETIMEDOUT;
	try_next(d);
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct dial *d = w->data;
	(void)loop, (void)revents;
	if (d->wire.tls) {
		shake_hands(d);
		return;
	}
	int rc = wire_connected(&d->wire);
	if (rc == 0) {
		begin_tls(d);
		return;
	}
	d->error = -rc;
	try_next(d);
}

/* ---- life ---- */

static void on_resolved(void *arg, struct addrinfo *list, const char *why)
{
	struct dial *d = arg;

	d->resolve = NULL;
	d->list = d->next = list;
	if (list)
		try_next(d);
	else
		finish(d, why);
}

static void start_path(struct dial *d)
{
	int rc = wire_connect_path(&d->wire, d->path);

	if (rc == 0)
		watch(d, EV_WRITE);
	else
		finish(d, strerror(-rc));
}

void dial_start(struct dial *d, double seconds)
{
	d->deadline = clock_seconds() + seconds;
	if (d->path) {
		start_path(d);
		return;
	}
	d->resolve = resolve_begin(d->loop, d->host, d->port, on_resolved, d);
	if (!d->resolve)
		finish(d, "out of memory or threads");
}

const char *dial_waits_for(const struct dial *d)
{
	if (d->resolve)
		return "no address for the name in time";
	return d->wire.tls ? "no answer to the TLS handshake in time; is this Redis's plain port?"
			   : "no connection in time";
}

int dial_init(struct dial *d, struct ev_loop *loop, const struct redis_server *server,
	      const struct tls_context *tls, dial_done_fn done, void *arg)
{
	memset(d, 0, sizeof(*d));
	wire_init(&d->wire);
	d->loop = loop;
	d->path = server->path ? strdup(server->path) : NULL;
	d->host = server->host ? strdup(server->host) : NULL;
	d->port = server->port;
	d->tls = tls;
	d->done = done;
	d->arg = arg;
	ev_init(&d->io, on_io);
	ev_init(&d->turn, on_turn_over);
	d->io.data = d->turn.data = d;
	return d->path || d->host ? 0 : -ENOMEM;
}

void dial_end(struct dial *d)
{
	stop_watching(d);
	resolve_cancel(d->resolve);
	d->resolve = NULL;
	if (d->list)
		freeaddrinfo(d->list);
	d->list = d->next = NULL;
	wire_close(&d->wire);
	free(d->path);
	free(d->host);
	d->path = d->host = NULL;
}
