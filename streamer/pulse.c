/* pulse: what happens to streams because time passes: heartbeats, positions that no event carried,
 * answers that were held, losses whose turn it is to be told. Owns the wheels. */
#include "streamer/pulse.h"

#include <time.h>
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/frame.h"
#include "streamer/poll.h"
#include "streamer/resume.h"
#include "streamer/rounds.h"
#include "streamer/spread.h"
#include "streamer/sse.h"
#include "streamer/stream.h"
#include "streamer/telling.h"

#define STREAM_OF(e, member) ((struct stream *)((char *)(e)-offsetof(struct stream, member)))
#define LEG_OF(e, member)    ((struct leg *)((char *)(e)-offsetof(struct leg, member)))

/* Many streams of one partition are where everything has come. */
static void send_position(struct stream *st)
{
	struct partition *in = st->legs[0].in;

	wheel_remove(&st->unsent);
	if (st->n_legs > 1 || event_id_compare(st->legs[0].position, in->heard.through) != 0) {
		client_push_taken(st->client, telling_position(st));
		return;
	}
	if (!in->here) {
		in->here = telling_position(st);
		in->next_here = st->all->here;
		st->all->here = in;
	}
	if (in->here)
		client_push(st->client, in->here);
}

/* What came to nobody's ears moves the position too. */
static bool move_position(struct leg *leg)
{
	const struct event_id *through = &leg->in->heard.through;

	if (leg->state != LEG_LIVE || event_id_compare(*through, leg->position) <= 0)
		return false;
	leg->position = *through;
	return true;
}

static void move_positions(struct stream *st)
{
	bool moved = st->unsent.next != NULL;

	for (size_t i = 0; i < st->n_legs; i++)
		moved |= move_position(&st->legs[i]);
	if (moved && st->opened)
		send_position(st);
}

/* Whose socket takes nothing needs no proof of life, and what waits for it must not grow by ours.
 */
static void on_beat(void *arg, struct wheel_entry *e)
{
	struct streams *all = arg;
	struct stream *st = STREAM_OF(e, beat);

	if (!all->ping || st->client->blocked)
		return;
	client_push(st->client, all->ping);
	move_positions(st);
	client_hurry(st->client);
}

static void on_unsent(void *arg, struct wheel_entry *e)
{
	struct stream *st = STREAM_OF(e, unsent);

	(void)arg;
	if (!stream_is_live(st))
		wheel_remove(e);       /* the end of the replay tells it */
	else if (!st->client->blocked) /* else later: an id of its own may overtake it */
		send_position(st);
}

static void on_delay_over(void *arg, struct wheel_entry *e)
{
	struct leg *leg = LEG_OF(e, delay);

	(void)arg;
	resume_stop_waiting(leg);
	resume_wait(leg);
	rounds_go_on(leg->in);
}

static void on_poll(void *arg, struct wheel_entry *e)
{
	(void)arg;
	poll_tick((struct poll *)((char *)e - offsetof(struct poll, entry)));
}

/* The frames that this tick made. */
static void forget_frames(struct streams *all)
{
	frame_unref(all->ping);
	all->ping = NULL;
	for (; all->here; all->here = all->here->next_here) {
		frame_unref(all->here->here);
		all->here->here = NULL;
	}
}

void pulse_tick(struct streams *all)
{
	all->ping = all->config.heartbeat_event ? sse_heartbeat_event((uint64_t)time(NULL))
						: sse_heartbeat_comment();
	wheel_tick(&all->beats, on_beat, all);
	wheel_tick(&all->unsent, on_unsent, all);
	forget_frames(all);
	if (all->beats.at == 0)
		revocations_expire(&all->revocations, clock_seconds());
	all->told_now = 0;
	wheel_tick(&all->delays, on_delay_over, all);
	wheel_tick(&all->polls, on_poll, all);
	for (unsigned i = 0; i < all->n_partitions; i++) {
		struct partition *in = &all->partitions[i];
		rounds_tick(in);
		rounds_go_on(in);
		hub_expire(&in->hub, clock_seconds());
	}
}

int pulse_init(struct streams *all)
{
	int err = spread_init(all, all->config.spread_ms);

	if (!err)
		err = wheel_init(&all->beats, (size_t)all->config.heartbeat_seconds * PULSE_TICKS);

	if (!err)
		err = wheel_init(&all->unsent, 1);
	if (!err)
		err = wheel_init(&all->polls, 1);
	if (!err)
		err = wheel_init(&all->delays, (size_t)RESUME_DELAY_SECONDS * PULSE_TICKS);
	return err;
}

void pulse_done(struct streams *all)
{
	spread_done(all);
	wheel_done(&all->beats);
	wheel_done(&all->unsent);
	wheel_done(&all->polls);
	wheel_done(&all->delays);
}
