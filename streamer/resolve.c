/* resolve: one detached thread a look-up, which touches nothing but its own request. Request and
 * loop meet at an ev_async; the request is freed by whoever comes last: the loop after the answer,
 * or the thread after a cancel. */
#include "streamer/resolve.h"

#include <ev.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct resolve {
	struct ev_loop *loop;
	ev_async wake;
	resolve_done_fn done;
	void *arg;
	char *host;
	char port[8];
	pthread_mutex_t lock; /* guards the two flags and the wake-up against a loop that is gone */
	bool finished, cancelled;
	struct addrinfo *list;
	int error;
};

static void resolve_free(struct resolve *r)
{
	pthread_mutex_destroy(&r->lock);
	free(r->host);
	free(r);
}

static void *look_up(void *arg)
{
	struct resolve *r = arg;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	int error = getaddrinfo(r->host, r->port, &hints, &list);

	pthread_mutex_lock(&r->lock);
	bool cancelled = r->cancelled;
	r->list = list;
	r->error = error;
	r->finished = true;
	if (!cancelled)
		ev_async_send(r->loop, &r->wake);
	pthread_mutex_unlock(&r->lock);
	if (cancelled) {
		if (list)
			freeaddrinfo(list);
		resolve_free(r);
	}
	return NULL;
}

static void on_wake(struct ev_loop *loop, ev_async *w, int revents)
{
	struct resolve *r = w->data;
	(void)revents;
	ev_async_stop(loop, w);
	pthread_mutex_lock(&r->lock); /* waits until the thread is done with r */
	struct addrinfo *list = r->error ? NULL : r->list;
	const char *why = r->error ? gai_strerror(r->error) : NULL;
	resolve_done_fn done = r->done;
	void *callee = r->arg;
	pthread_mutex_unlock(&r->lock);
	resolve_free(r);
	done(callee, list, why);
}

/* The thread must not take the signals that the loop waits for. */
static int start_thread(struct resolve *r)
{
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = pthread_create(&thread, NULL, look_up, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		pthread_detach(thread);
	return err;
}

struct resolve *resolve_begin(struct ev_loop *loop, const char *host, uint16_t port,
			      resolve_done_fn done, void *arg)
{
	struct resolve *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->loop = loop;
	r->done = done;
	r->arg = arg;
	snprintf(r->port, sizeof(r->port), "%u", (unsigned)port);
	pthread_mutex_init(&r->lock, NULL);
	ev_async_init(&r->wake, on_wake);
	r->wake.data = r;
	ev_async_start(loop, &r->wake);
	r->host = strdup(host);
	if (!r->host || start_thread(r) != 0) {
		ev_async_stop(loop, &r->wake);
		resolve_free(r);
		return NULL;
	}
	return r;
}

void resolve_cancel(struct resolve *r)
{
	if (!r)
		return;
	ev_async_stop(r->loop, &r->wake);
	pthread_mutex_lock(&r->lock);
	bool finished = r->finished;
	r->cancelled = true;
	pthread_mutex_unlock(&r->lock);
	if (finished) {
		if (r->list)
			freeaddrinfo(r->list);
		resolve_free(r);
	}
}
