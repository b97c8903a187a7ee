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
#include "streamer/sse.h"
#include "streamer/stream.h"

#define STREAM_OF(e, member) ((struct stream *)((char *)(e)-offsetof(struct stream, member)))

static void send_position(struct stream *st)
{
	struct streams *all = st->all;

	wheel_remove(&st->unsent);
	if (event_id_compare(st->position, all->heard.through) != 0) {
		client_push_taken(st->client, sse_position(st->position));
		return;
	}
	if (!all->here)
		all->here = sse_position(st->position);
	if (all->here)
		client_push(st->client, all->here);
}

/* What came to nobody's ears moves the position too. */
static void move_position(struct stream *st)
{
	const struct event_id *through = &st->all->heard.through;

	if (st->state != STREAM_LIVE)
		return;
	bool moved = st->unsent.next != NULL;
	if (event_id_compare(*through, st->position) > 0) {
		st->position = *through;
		moved = true;
	}
	if (moved)
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
	move_position(st);
}

static void on_unsent(void *arg, struct wheel_entry *e)
{
	struct stream *st = STREAM_OF(e, unsent);

	(void)arg;
	if (st->client->blocked)
		return; /* later: an id of its own may overtake it */
	if (st->state == STREAM_LIVE)
		send_position(st);
	else
		wheel_remove(e);
}

static void on_delay_over(void *arg, struct wheel_entry *e)
{
	struct stream *st = STREAM_OF(e, delay);

	(void)arg;
	resume_stop_waiting(st);
	resume_wait(st);
}

static void on_poll(void *arg, struct wheel_entry *e)
{
	(void)arg;
	poll_tick((struct poll *)((char *)e - offsetof(struct poll, entry)));
}

void pulse_tick(struct streams *all)
{
	all->ping = all->config.heartbeat_event ? sse_heartbeat_event((uint64_t)time(NULL))
						: sse_heartbeat_comment();
	wheel_tick(&all->beats, on_beat, all);
	wheel_tick(&all->unsent, on_unsent, all);
	frame_unref(all->ping);
	frame_unref(all->here);
	all->ping = all->here = NULL;
	all->told_now = 0;
	wheel_tick(&all->delays, on_delay_over, all);
	wheel_tick(&all->polls, on_poll, all);
	rounds_tick(all);
	rounds_go_on(all);
	hub_expire(&all->hub, clock_seconds());
}

int pulse_init(struct streams *all)
{
	int err = wheel_init(&all->beats, (size_t)all->config.heartbeat_seconds * PULSE_TICKS);

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
	wheel_done(&all->beats);
	wheel_done(&all->unsent);
	wheel_done(&all->polls);
	wheel_done(&all->delays);
}
