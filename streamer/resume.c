/* resume: a stream on its way from its cursor to the present.
 *
 * The first walk only counts, since sse.open says how much follows; it is the only one when a
 * single answer holds all. The second walk sends. Whenever the socket is full the stream is PACED:
 * it goes on from its position when the socket is empty, with a new question, so what is published
 * meanwhile is read from the log and never queued. It becomes live only with an empty queue and a
 * complete answer; what came since the question is in recent. */
#include "streamer/resume.h"

#include <stdlib.h>
#include "streamer/client.h"
#include "streamer/delivery.h"
#include "streamer/filter.h"
#include "streamer/frame.h"
#include "streamer/jitter.h"
#include "streamer/notice.h"
#include "streamer/poll.h"
#include "streamer/replay.h"
#include "streamer/sse.h"
#include "streamer/stats.h"
#include "streamer/stream.h"

#define PACE_BYTES  65536 /* sent at once before the socket is asked whether it keeps up */
#define TOLD_A_TICK 250   /* who is told to fetch everything anew, in a quarter of a second */

void resume_wait(struct stream *st)
{
	struct opening *o = &st->all->opening;

	st->state = STREAM_WAITING;
	if (st->replay && st->replay->turn == REPLAY_AGAIN)
		opening_wait_first(o, &st->opening);
	else
		opening_wait(o, &st->opening, st->all->answered, st->all->answered);
}

void resume_stop_waiting(struct stream *st)
{
	opening_leave(&st->opening);
	if (st->delay.next)
		st->all->n_delayed--;
	wheel_remove(&st->delay);
}

/* An answer that is not complete brings those along who are farthest behind. */
static enum replay_turn next_turn(const struct replay *r, const struct log_answer *a)
{
	if (a->complete)
		return REPLAY_FIRST;
	return event_id_compare(r->position, a->through) < 0 ? REPLAY_SLOW : REPLAY_AGAIN;
}

/* ---- losses ---- */

/* A cursor above the stored last id, or below the mark, is of a past that Redis does not have. */
static bool is_lost(const struct stream *st, const struct log_answer *a)
{
	struct event_id from = st->replay->position;

	return event_id_compare(from, a->last) > 0 || event_id_compare(from, a->mark) < 0;
}

/* When all fetch everything in the same moment, the application falls over: they are told over a
 * time, and hear nothing until then. */
static bool must_wait(struct stream *st)
{
	struct streams *all = st->all;

	if (st->replay->delayed)
		return false;
	st->replay->delayed = true;
	if (all->told_now < TOLD_A_TICK) {
		all->told_now++;
		return false;
	}
	size_t spread = ++all->n_delayed / TOLD_A_TICK + 1;
	if (spread > all->delays.n_slots - 1)
		spread = all->delays.n_slots - 1;
	wheel_add(&all->delays, &st->delay, all->delays.at + (size_t)jitter_between(0, spread));
	return true;
}

/* ---- telling ---- */

static void tell_faults(struct stream *st)
{
	enum replay_fault worst;

	if (replay_untold(st->replay, &worst) == 0)
		return;
	st->all->stats->resets++;
	if (st->poll)
		poll_reset(st);
	else
		client_push_taken(st->client, notice_reset(st->topics, st->replay));
	replay_told(st->replay);
}

static void open_stream(struct stream *st)
{
	st->opened = true;
	st->resumed = st->replay && replay_resumes(st->replay);
	st->all->stats->resumed += st->resumed;
	if (!st->poll)
		client_push_taken(st->client,
				  notice_open(st->topics, st->n_topics, st->replay, st->position));
}

/* What the stream has told so far stands: it goes on from the answer's position. */
static void lose(struct stream *st, const struct log_answer *a)
{
	struct replay *r = st->replay;

	replay_give_up(r, REPLAY_LOST, a->at);
	r->counting = false;
	if (!st->opened)
		open_stream(st);
	tell_faults(st);
	st->position = r->position = a->at;
}

/* ---- the walks ---- */

static void count(struct stream *st)
{
	struct frame *f;

	while ((f = replay_next(st->replay, st->topics)))
		st->replay->count += filter_passes(st->filter, sse_event_name(f));
}

/* Returns false when the first walk needs another answer. */
static bool count_walk(struct stream *st, const struct log_answer *a)
{
	struct replay *r = st->replay;

	count(st);
	r->position = a->through;
	r->paged |= !a->complete;
	if (!a->complete)
		return false;
	r->counting = false;
	r->position = st->position;
	open_stream(st);
	return true;
}

/* Returns false when the socket refuses more, or the answer of a poll is full. */
static bool send_tails(struct stream *st)
{
	struct frame *f;
	size_t sent = 0;

	while ((f = replay_next(st->replay, st->topics))) {
		delivery_replay(st, f);
		st->all->stats->replayed++;
		sent += f->len;
		if (st->poll ? poll_full(st->poll) : sent > PACE_BYTES) {
			sent = 0;
			if (st->poll || !client_flush(st->client))
				return false;
		}
	}
	return true;
}

static void pause_walk(struct stream *st)
{
	if (st->poll) {
		poll_answer(st, true);
		return;
	}
	st->state = STREAM_PACED;
	client_tell_when_empty(st->client);
}

static void go_live(struct stream *st, const struct resume_round *round)
{
	struct topic *t;

	free(st->replay);
	st->replay = NULL;
	st->state = STREAM_LIVE;
	client_limit(st->client, true);
	for (size_t i = 0; i < st->n_topics; i++) {
		t = st->topics[i].topic;
		if (event_id_is_zero(t->since))
			t->since = round->answer->at;
	}
	delivery_catch_up(st, round->since, round->fresh);
	if (st->poll)
		poll_is_live(st);
}

static void send_walk(struct stream *st, const struct resume_round *round)
{
	const struct log_answer *a = round->answer;
	struct replay *r = st->replay;

	if (!send_tails(st)) {
		pause_walk(st);
		return;
	}
	if (event_id_compare(a->through, r->position) > 0)
		st->position = r->position = a->through;
	if (a->complete && !st->poll)
		client_push_taken(st->client, sse_position(st->position));
	if (!st->poll && !client_flush(st->client))
		pause_walk(st);
	else if (a->complete)
		go_live(st, round);
	else
		resume_wait(st);
}

static void begin(struct stream *st, const struct resume_round *round)
{
	st->position = round->answer->at;
	open_stream(st);
	go_live(st, round);
}

void resume_meet(struct stream *st, const struct resume_round *round)
{
	const struct log_answer *a = round->answer;
	struct replay *r = st->replay;

	if (!r) {
		begin(st, round);
		return;
	}
	if (is_lost(st, a)) {
		if (must_wait(st))
			return;
		lose(st, a);
	}
	r->turn = next_turn(r, a);
	if (r->turn == REPLAY_AGAIN) {
		resume_wait(st);
		return;
	}
	replay_begin(r, st->topics, a->at, a->floor);
	if (r->counting && !count_walk(st, a)) {
		resume_wait(st);
		return;
	}
	if (!st->opened)
		open_stream(st);
	tell_faults(st);
	if (r->paged) {
		r->paged = false;
		resume_wait(st);
		return;
	}
	replay_begin(r, st->topics, a->at, a->floor);
	send_walk(st, round);
}
