/* permit: a wheel of quarters of a second, so that no stream needs a timer. One that is due further
 * away than the wheel's period is passed over until then. Owns the wheel, and each stream's place
 * on it. */
#include "streamer/permit.h"

#include <errno.h>
#include <stdlib.h>
#include "streamer/ask.h"
#include "streamer/auth.h"
#include "streamer/clock.h"
#include "streamer/jitter.h"
#include "streamer/kept_ask.h"
#include "streamer/pulse.h"
#include "streamer/stream.h"

#define SLOTS         1024 /* four minutes */
#define LATE_MIN_MS   200u /* so that a clock read a little early does not matter */
#define LATE_MAX_MS   5000.
#define LATE_PART     .05
#define SLACK_SECONDS .1
#define FAR_SECONDS   1e9 /* what is later is as good as never */

int permits_init(struct streams *all)
{
	users_init(&all->users);
	kept_asks_init(&all->kept_asks);
	return wheel_init(&all->permits, SLOTS);
}

void permits_done(struct streams *all)
{
	wheel_done(&all->permits);
}

struct permit *permit_new(struct stream *st)
{
	struct permit *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->stream = st;
	st->permit = p;
	return p;
}

void permit_free(struct permit *p)
{
	if (!p)
		return;
	struct streams *all = p->stream->all;
	auth_cancel(p->call);
	ask_free(p->question);
	kept_ask_release(&all->kept_asks, p->kept);
	users_leave(&all->users, &p->user);
	wheel_remove(&p->entry);
	free(p);
}

int permit_set_user(struct permit *p, struct span name)
{
	struct users *users = &p->stream->all->users;

	users_leave(users, &p->user);
	return name.len > 0 ? users_join(users, &p->user, name) : 0;
}

struct span permit_user(const struct stream *st)
{
	return st->permit ? users_name(&st->permit->user) : (struct span){NULL, 0};
}

size_t permit_find_revoked(const struct stream *st)
{
	const struct revocations *r = &st->all->revocations;
	double now = clock_seconds();
	size_t i = 0;

	while (i < st->ask->n_topics &&
	       !revocations_hold(r, permit_user(st), st->ask->topics[i], now))
		i++;
	return i;
}

/* ---- times ---- */

static void set_due(struct permit *p, double due)
{
	struct wheel *w = &p->stream->all->permits;
	double seconds = due - clock_seconds();

	wheel_remove(&p->entry);
	p->due = due;
	if (due > 0)
		wheel_add(w, &p->entry,
			  w->at + (size_t)((seconds > 0 ? seconds : 0) * PULSE_TICKS) + 1);
}

/* Never earlier, or a ticket that is still good would be found expired. */
static double late(double seconds)
{
	double ms = seconds * 1000. * LATE_PART;

	ms = ms > LATE_MAX_MS ? LATE_MAX_MS : ms;
	return (double)jitter_between(LATE_MIN_MS, LATE_MIN_MS + (uint64_t)ms) / 1000.;
}

/* Somewhere in the second half, so that those who came together are not asked about together. */
static double within(unsigned seconds)
{
	return (double)jitter_between(seconds * 500ull, seconds * 1000ull) / 1000.;
}

void permit_set_times(struct permit *p, double ends, unsigned recheck_seconds)
{
	double now = clock_seconds(), due = 0;

	if (ends > now + FAR_SECONDS)
		ends = now + FAR_SECONDS;
	if (ends > 0)
		due = ends + late(ends > now ? ends - now : 0);
	if (recheck_seconds > 0) {
		double recheck = now + within(recheck_seconds);
		due = due > 0 && due < recheck ? due : recheck;
	}
	p->ends = ends;
	set_due(p, due);
}

void permit_look_at(struct permit *p, double when)
{
	set_due(p, when);
}

/* The call for the admission is the entrance's. */
void permit_drop_call(struct permit *p)
{
	if (!p->question)
		return;
	auth_cancel(p->call);
	ask_free(p->question);
	p->call = NULL;
	p->question = NULL;
}

/* What is asked already may be answered from before. */
void permit_hurry(struct permit *p, double seconds)
{
	double due = clock_seconds() + seconds;

	permit_drop_call(p);
	if (p->due <= 0 || due < p->due)
		set_due(p, due);
}

void permit_postpone(struct permit *p, double seconds)
{
	double due = clock_seconds() + seconds;

	if (p->ends > 0 && due > p->ends)
		due = p->ends + late(0);
	set_due(p, due);
}

struct look {
	void (*at)(void *arg, struct permit *p);
	void *arg;
	double now;
};

static void on_turn(void *arg, struct wheel_entry *entry)
{
	struct permit *p = (struct permit *)((char *)entry - offsetof(struct permit, entry));
	const struct look *look = arg;

	if (p->due > look->now + SLACK_SECONDS)
		return;
	wheel_remove(entry);
	p->due = 0;
	look->at(look->arg, p);
}

void permits_tick(struct streams *all, void (*at)(void *arg, struct permit *p), void *arg)
{
	struct look look = {.at = at, .arg = arg, .now = clock_seconds()};

	wheel_tick(&all->permits, on_turn, &look);
}
