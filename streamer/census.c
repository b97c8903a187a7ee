/* census: who asks raises the number and sets its bit among the askers; who reports rings for all
 * of these. A worker that is not there, or stands still, is not waited for longer than a second:
 * its last figures count. */
#include "streamer/census.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "streamer/shared.h"

#define PATIENCE_SECONDS 1.

int census_make_bells(struct shared *s)
{
	for (unsigned i = 0; i < s->workers && s->workers > 1; i++) {
		s->bells[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (s->bells[i] < 0)
			return -errno;
	}
	return 0;
}

static void ring(const struct shared *s, unsigned worker)
{
	const uint64_t one = 1;
	ssize_t n = write(s->bells[worker], &one, sizeof(one));
	(void)n; /* it can only fail when it rings already */
}

static void ring_for(const struct shared *s, uint64_t workers)
{
	for (unsigned i = 0; i < s->workers; i++)
		if (workers >> i & 1)
			ring(s, i);
}

/* Also without being asked: a number that is newer than needed harms nobody. */
static void report(struct census *c, uint64_t number)
{
	c->ops->look(c->arg);
	__atomic_store_n(&c->shared->slots[c->worker].reported, number, __ATOMIC_SEQ_CST);
}

static void answer_others(struct census *c)
{
	struct shared *s = c->shared;
	uint64_t number = __atomic_load_n(&s->asked, __ATOMIC_SEQ_CST);

	if (s->slots[c->worker].reported >= number)
		return;
	report(c, number);
	ring_for(s, __atomic_load_n(&s->askers, __ATOMIC_SEQ_CST) & ~(UINT64_C(1) << c->worker));
}

static bool complete(const struct census *c)
{
	const struct shared *s = c->shared;

	for (unsigned i = 0; i < s->workers; i++)
		if (shared_state(s, i) != WORKER_ABSENT &&
		    __atomic_load_n(&s->slots[i].reported, __ATOMIC_SEQ_CST) < c->wanted)
			return false;
	return true;
}

static void settle(struct census *c)
{
	c->wanted = 0;
	ev_timer_stop(c->loop, &c->patience);
	__atomic_and_fetch(&c->shared->askers, ~(UINT64_C(1) << c->worker), __ATOMIC_SEQ_CST);
}

static void on_bell(struct ev_loop *loop, ev_io *w, int revents)
{
	struct census *c = w->data;
	uint64_t times;
	ssize_t n = read(w->fd, &times, sizeof(times));

	(void)loop, (void)revents, (void)n;
	answer_others(c);
	if (c->wanted && complete(c)) {
		settle(c);
		c->ops->done(c->arg);
	}
}

static void on_patience_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct census *c = w->data;

	(void)loop, (void)revents;
	settle(c);
	c->ops->done(c->arg);
}

bool census_ask(struct census *c)
{
	struct shared *s = c->shared;
	bool waiting = c->wanted != 0;

	if (s->workers == 1) {
		c->ops->look(c->arg);
		return true;
	}
	__atomic_or_fetch(&s->askers, UINT64_C(1) << c->worker, __ATOMIC_SEQ_CST);
	c->wanted = __atomic_add_fetch(&s->asked, 1, __ATOMIC_SEQ_CST);
	report(c, c->wanted);
	ring_for(s, ~(UINT64_C(1) << c->worker));
	if (!waiting)
		ev_timer_set(&c->patience, PATIENCE_SECONDS, 0.);
	ev_timer_start(c->loop, &c->patience);
	return false;
}

void census_init(struct census *c, struct ev_loop *loop, struct shared *s, unsigned worker,
		 const struct census_ops *ops, void *arg)
{
	*c = (struct census){.shared = s, .worker = worker, .loop = loop, .ops = ops, .arg = arg};
	ev_init(&c->patience, on_patience_over);
	c->patience.data = c;
	ev_io_init(&c->bell, on_bell, s->bells[worker], EV_READ);
	c->bell.data = c;
	if (s->workers > 1)
		ev_io_start(loop, &c->bell);
}

void census_done(struct census *c)
{
	if (!c->loop)
		return;
	ev_io_stop(c->loop, &c->bell);
	ev_timer_stop(c->loop, &c->patience);
}
