/* spread: a wheel that turns once in spread_ms while somebody is on it. Each stream has a delay of
 * its own, by chance and for its life: two events in a row keep their distance. Owns the wheel. */
#include "streamer/spread.h"

#include "streamer/client.h"
#include "streamer/jitter.h"

static struct stream *stream_of(struct wheel_entry *e)
{
	return (struct stream *)((char *)e - offsetof(struct stream, held));
}

int spread_init(struct streams *all, uint64_t spread_ms)
{
	return spread_ms > 0 ? wheel_init(&all->spread, (size_t)(spread_ms / SPREAD_TICK_MS) + 1)
			     : 0;
}

void spread_done(struct streams *all)
{
	wheel_done(&all->spread);
}

void spread_forget(struct stream *st)
{
	if (!st->held.next)
		return;
	wheel_remove(&st->held);
	st->all->n_held--;
}

static void on_turn(void *arg, struct wheel_entry *e)
{
	struct stream *st = stream_of(e);

	(void)arg;
	spread_forget(st);
	client_release(st->client);
}

bool spread_tick(struct streams *all)
{
	wheel_tick(&all->spread, on_turn, all);
	return all->n_held > 0;
}

void spread_hold(struct stream *st)
{
	struct streams *all = st->all;

	if (st->held.next || st->poll)
		return;
	if (st->turn == 0)
		st->turn = (uint16_t)jitter_between(1, all->spread.n_slots);
	client_hold(st->client);
	wheel_add(&all->spread, &st->held, all->spread.at + st->turn - 1u);
	if (all->n_held++ == 0)
		all->on_held(all->held_owner);
}
