/* resume: a leg of a stream on its way from its cursor to the present.
 *
 * The first walk only counts, since sse.open says how much follows; it is the only one when a
 * single answer holds all. sse.open waits until each leg has had that walk, or its first position.
 * The second walk sends. Whenever the socket is full the leg is PACED: it goes on from its position
 * when the socket is empty, with a new question, so what is published meanwhile is read from the
 * log and never queued. It becomes live only with an empty queue and a complete answer; what came
 * since the question is in recent. */
#include "streamer/resume.h"

#include <stdlib.h>
#include "streamer/client.h"
#include "streamer/delivery.h"
#include "streamer/frame.h"
#include "streamer/jitter.h"
#include "streamer/notice.h"
#include "streamer/poll.h"
#include "streamer/replay.h"
#include "streamer/sse.h"
#include "streamer/stats.h"
#include "streamer/stream.h"
#include "streamer/telling.h"

#define PACE_BYTES  65536 /* sent at once before the socket is asked whether it keeps up */
#define TOLD_A_TICK 250   /* who is told to fetch everything anew, in a quarter of a second */

void resume_wait(struct leg *leg)
{
	struct partition *in = leg->in;

	leg->state = LEG_WAITING;
	if (leg->replay && leg->replay->turn == REPLAY_AGAIN)
		opening_wait_first(&in->opening, &leg->opening);
	else
		opening_wait(&in->opening, &leg->opening, in->answered, in->answered);
}

void resume_stop_waiting(struct leg *leg)
{
	opening_leave(&leg->opening);
	if (leg->delay.next)
		leg->stream->all->n_delayed--;
	wheel_remove(&leg->delay);
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
static bool is_lost(const struct leg *leg, const struct log_answer *a)
{
	struct event_id from = leg->replay->position;

	return event_id_compare(from, a->last) > 0 || event_id_compare(from, a->mark) < 0;
}

/* When all fetch everything in the same moment, the application falls over: they are told over a
 * time, and hear nothing until then. */
static bool must_wait(struct leg *leg)
{
	struct streams *all = leg->stream->all;

	if (leg->replay->delayed)
		return false;
	leg->replay->delayed = true;
	if (all->told_now < TOLD_A_TICK) {
		all->told_now++;
		return false;
	}
	size_t spread = ++all->n_delayed / TOLD_A_TICK + 1;
	if (spread > all->delays.n_slots - 1)
		spread = all->delays.n_slots - 1;
	wheel_add(&all->delays, &leg->delay, all->delays.at + (size_t)jitter_between(0, spread));
	return true;
}

/* None of its topics can go on from the cursor: the leg goes on from the answer's position. */
static void lose(struct leg *leg, const struct log_answer *a, enum replay_fault fault)
{
	struct replay *r = leg->replay;

	replay_give_up(r, fault, a->at);
	r->counting = r->unknown = r->lost = false;
	r->position = a->at;
}

/* Returns false when it is to be told later. */
static bool judge(struct leg *leg, const struct log_answer *a)
{
	if (leg->replay->unknown) {
		lose(leg, a, REPLAY_UNKNOWN);
	} else if (leg->replay->lost || is_lost(leg, a)) {
		if (must_wait(leg))
			return false;
		lose(leg, a, REPLAY_LOST);
	}
	return true;
}

/* ---- telling ---- */

static void push_reset(struct stream *st, const char *fault)
{
	struct notice_topic topics[LOG_READ_TOPICS];
	size_t n = telling_topics(st, topics);

	client_push_taken(st->client, notice_reset(topics, n, fault));
}

static void tell_faults(struct stream *st)
{
	const char *fault = telling_fault(st);

	if (!fault)
		return;
	st->all->stats->resets++;
	if (st->poll)
		poll_reset(st, fault);
	else
		push_reset(st, fault);
	telling_told(st);
}

static bool resumes(const struct stream *st)
{
	for (size_t i = 0; i < st->n_legs; i++) {
		const struct replay *r = st->legs[i].replay;
		if (r && r->given && replay_resumes(r))
			return true;
	}
	return false;
}

static void open_stream(struct stream *st)
{
	st->opened = true;
	st->resumed = resumes(st);
	st->all->stats->resumed += st->resumed;
	if (!st->poll)
		client_push_taken(st->client, telling_open(st));
}

/* What was found is told; from here on each position is where the walk is, after a loss perhaps
 * below the cursor that was lost. */
static void tell(struct stream *st)
{
	tell_faults(st);
	for (size_t i = 0; i < st->n_legs; i++)
		if (st->legs[i].replay)
			st->legs[i].position = st->legs[i].replay->position;
}

/* Everything is known that sse.open says of this leg. Returns whether the stream is open now: when
 * this was the last leg that it waited for, the others go on from here, too. */
static bool is_open(struct leg *leg)
{
	struct stream *st = leg->stream;

	if (st->opened)
		return true;
	leg->ready = true;
	for (size_t i = 0; i < st->n_legs; i++)
		if (!st->legs[i].ready)
			return false;
	open_stream(st);
	tell(st); /* what sse.open announces, before the others find more */
	for (size_t i = 0; i < st->n_legs; i++) {
		struct leg *other = &st->legs[i];
		if (other == leg || !other->in->connected)
			continue;
		/* its partition may have been away meanwhile: everything is subscribed anew then */
		opening_wait(&other->in->opening, &other->opening, other->in->asked,
			     other->in->answered);
		st->all->go_on(other->in);
	}
	return true;
}

/* ---- the walks ---- */

static void count(struct leg *leg)
{
	struct frame *f;

	while ((f = replay_next(leg->replay, leg->topics)))
		leg->replay->count += delivery_wants(leg->stream, f);
}

/* Returns false when the first walk needs another answer. */
static bool count_walk(struct leg *leg, const struct log_answer *a)
{
	struct replay *r = leg->replay;

	count(leg);
	r->position = a->through;
	r->paged |= !a->complete;
	if (!a->complete)
		return false;
	r->counting = false;
	r->position = leg->position;
	return true;
}

/* Returns false when the socket refuses more, or the answer of a poll is full. */
static bool send_tails(struct leg *leg)
{
	struct stream *st = leg->stream;
	struct frame *f;
	size_t sent = 0;

	while ((f = replay_next(leg->replay, leg->topics))) {
		delivery_replay(leg, f);
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

static void pause_walk(struct leg *leg)
{
	struct stream *st = leg->stream;

	if (st->poll) {
		poll_answer(st, true);
		return;
	}
	leg->state = LEG_PACED;
	client_tell_when_empty(st->client);
}

static void go_live(struct leg *leg, const struct resume_round *round)
{
	struct stream *st = leg->stream;

	free(leg->replay);
	leg->replay = NULL;
	leg->state = LEG_LIVE;
	leg->met = round->answer->at;
	client_limit(st->client, stream_is_live(st));
	for (size_t i = 0; i < leg->n_topics; i++) {
		struct topic *t = leg->topics[i].topic;
		if (event_id_is_zero(t->since))
			t->since = round->answer->at;
	}
	delivery_catch_up(leg, round->since, round->fresh);
	if (st->poll && stream_is_live(st))
		poll_is_live(st);
}

static void send_walk(struct leg *leg, const struct resume_round *round)
{
	const struct log_answer *a = round->answer;
	struct stream *st = leg->stream;
	struct replay *r = leg->replay;

	if (!send_tails(leg)) {
		pause_walk(leg);
		return;
	}
	if (event_id_compare(a->through, r->position) > 0)
		leg->position = r->position = a->through;
	if (a->complete && !st->poll)
		client_push_taken(st->client, telling_position(st));
	if (!st->poll && !client_flush(st->client))
		pause_walk(leg);
	else if (a->complete)
		go_live(leg, round);
	else
		resume_wait(leg);
}

/* Nobody brought a cursor: it begins with the answer's position. While the stream waits for other
 * legs that position is as good as a cursor. */
static void begin(struct leg *leg, const struct resume_round *round)
{
	leg->position = round->answer->at;
	if (is_open(leg)) {
		go_live(leg, round);
		return;
	}
	leg->replay = replay_new(leg->n_topics, leg->position, false);
	if (!leg->replay)
		client_close(leg->stream->client, CLIENT_NO_MEMORY);
}

/* Who wants to know the present position hears no topic. */
static void take_position(struct leg *leg, struct event_id at)
{
	leg->position = at;
	leg->state = LEG_LIVE;
	if (stream_is_live(leg->stream))
		poll_is_live(leg->stream);
}

void resume_meet(struct leg *leg, const struct resume_round *round)
{
	const struct log_answer *a = round->answer;
	struct replay *r = leg->replay;

	if (leg->n_topics == 0 && leg->stream->poll) {
		take_position(leg, a->at);
		return;
	}
	if (!r) {
		begin(leg, round);
		return;
	}
	if (!judge(leg, a))
		return;
	r->turn = next_turn(r, a);
	if (r->turn == REPLAY_AGAIN) {
		resume_wait(leg);
		return;
	}
	replay_begin(r, leg->topics, a->at, a->floor);
	if (r->counting && !count_walk(leg, a)) {
		resume_wait(leg);
		return;
	}
	if (!is_open(leg))
		return;
	tell(leg->stream);
	if (r->paged) {
		r->paged = false;
		resume_wait(leg);
		return;
	}
	replay_begin(r, leg->topics, a->at, a->floor);
	send_walk(leg, round);
}
