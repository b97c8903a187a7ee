/* rounds: composes questions and hands out their answers. Owns what is known of the open question;
 * moves no stream by itself (resume.c does), knows no connection.
 *
 * All topics of a stream stand in one question, so that its events come in the order of ids: tails
 * of two moments would not fit together. */
#include "streamer/rounds.h"

#include <math.h>
#include <stdlib.h>
#include "common/log.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/log_read.h"
#include "streamer/replay.h"
#include "streamer/resume.h"
#include "streamer/stats.h"
#include "streamer/stream.h"
#include "streamer/tail.h"
#include "streamer/tails.h"

#define QUESTION_TOPICS 512 /* more only where one stream has more */
#define CHECK_TOPICS    STREAMS_SUSPECTS
#define SHARED_EVENTS   1024 /* with more after it, a new question is cheaper than an old tail */

#define STREAM_OF_OPENING(e) ((struct stream *)((char *)(e)-offsetof(struct stream, opening)))

/* ---- who needs no question ---- */

/* As if it had been part of the question that its tails answer. */
static void serve_from_tails(struct stream *st)
{
	struct streams *all = st->all;
	const struct tail *tail = st->replay ? tails_shared(st) : NULL;

	if (!tail || !recent_holds(&all->recent, tail->since) ||
	    all->recent.next - tail->since > SHARED_EVENTS)
		return;
	struct log_answer a = {
		.at = tail->through,
		.last = tail->through,
		.mark = all->mark,
		.floor = all->floor,
		.through = tail->through,
		.complete = true,
	};
	struct resume_round round = {.answer = &a, .since = tail->since, .fresh = false};
	opening_leave(&st->opening);
	resume_meet(st, &round);
}

static void serve_all_from_tails(struct streams *all)
{
	struct opening_entry *e = opening_first(&all->opening), *next;

	for (; e; e = next) {
		next = opening_next(&all->opening, e);
		serve_from_tails(STREAM_OF_OPENING(e));
	}
}

/* ---- the question ---- */

/* The highest id of a topic that came, or need not come. */
static struct event_id known_of(const struct topic *t)
{
	return event_id_compare(t->last_id, t->since) > 0 ? t->last_id : t->since;
}

static struct round_topic *add_topic(struct round *r, struct topic *t, struct event_id from)
{
	if (t->slot == 0) {
		r->topics[r->n] = (struct round_topic){.topic = t, .from = from};
		t->slot = ++r->n;
	}
	struct round_topic *added = &r->topics[t->slot - 1];
	if (event_id_compare(from, added->from) < 0)
		added->from = from;
	return added;
}

static size_t count_new_topics(const struct stream *st)
{
	size_t n = 0;

	for (size_t i = 0; i < st->n_topics; i++)
		n += st->topics[i].topic->slot == 0;
	return n;
}

/* Returns false when the question has no room for it. */
static bool add_stream(struct round *r, struct stream *st)
{
	if (!st->replay)
		return true; /* the position is all that it needs */
	if (r->n > 0 && r->n + count_new_topics(st) > QUESTION_TOPICS)
		return false;
	for (size_t i = 0; i < st->n_topics; i++)
		add_topic(r, st->topics[i].topic, replay_from(st->replay, i))->wanted = true;
	return true;
}

/* Streams of one kind together (enum replay_turn), in the order in which they became ready. */
static void add_streams(struct streams *all)
{
	struct opening_entry *e = opening_first(&all->opening), *next;
	int turn = -1;

	for (; e; e = next) {
		struct stream *st = STREAM_OF_OPENING(e);
		next = opening_next(&all->opening, e);
		if (st->replay && turn < 0)
			turn = (int)st->replay->turn;
		if (st->replay && (int)st->replay->turn != turn)
			continue;
		if (!add_stream(&all->round, st))
			break;
		opening_ask(&all->opening, e);
	}
}

/* Some topics in turn, so that each comes up in time. */
static void add_checks(struct streams *all)
{
	struct topic *t = all->check_at ? all->check_at : all->hub.topics;

	for (size_t i = 0; t && i < CHECK_TOPICS; i++, t = t->hh.next) {
		if (all->round.n >= QUESTION_TOPICS && t->slot == 0)
			break;
		if (!event_id_is_zero(t->since))
			add_topic(&all->round, t, known_of(t))->check = true;
	}
	all->check_at = t;
}

static bool send_question(struct streams *all)
{
	struct log_from topics[LOG_READ_TOPICS];
	struct heard *h = &all->heard;
	struct log_question q = {.known = h->known, .topics = topics, .n = all->round.n};

	all->round.verifies = all->verify;
	if (all->verify && h->newest_len > 0)
		q.newest = (struct log_from){{h->newest, h->newest_len}, h->latest};
	for (size_t i = 0; i < q.n; i++) {
		const struct round_topic *asked = &all->round.topics[i];
		topics[i] = (struct log_from){{asked->topic->name, asked->topic->name_len},
					      asked->from};
	}
	return all->ops->ask(all->arg, &q);
}

/* Everything of the question is over. */
static void end_round(struct streams *all)
{
	struct round *r = &all->round;

	for (size_t i = 0; i < r->n; i++)
		if (r->topics[i].topic)
			r->topics[i].topic->slot = 0;
	r->n = 0;
	r->open = false;
}

void rounds_go_on(struct streams *all)
{
	struct round *r = &all->round;

	if (!all->connected || r->open)
		return;
	serve_all_from_tails(all);
	if (!opening_first(&all->opening) && !all->tick_due)
		return;
	r->number++;
	r->broken = false;
	add_streams(all);
	if (all->tick_due)
		add_checks(all);
	r->since = recent_start(&all->recent);
	r->open = true;
	if (send_question(all)) {
		all->tick_due = false;
		return;
	}
	opening_ask_again(&all->opening);
	end_round(all);
}

/* ---- the answer ---- */

static void note_suspects(struct streams *all, const struct log_answer *a)
{
	all->n_suspects = 0;
	for (size_t i = 0; i < all->round.n && all->n_suspects < STREAMS_SUSPECTS; i++) {
		const struct round_topic *asked = &all->round.topics[i];
		if (asked->topic && asked->check &&
		    event_id_compare(a->last_ids[i], known_of(asked->topic)) > 0)
			all->suspects[all->n_suspects++] =
				(struct suspect){asked->topic, a->last_ids[i]};
	}
}

static void note_answer(struct streams *all, const struct log_answer *a)
{
	redis_clock_note(&all->clock, a->at, clock_seconds());
	all->mark = a->mark;
	all->floor = a->floor;
	if (all->round.verifies)
		all->verify = false;
	if (heard_position(&all->heard, a->at)) {
		note_suspects(all, a);
		all->ops->barrier(all->arg, all->heard.barrier);
	}
}

static void hand_out(struct streams *all, const struct log_answer *a)
{
	struct resume_round round = {.answer = a, .since = all->round.since, .fresh = true};
	struct opening_entry *e;

	while ((e = opening_take(&all->opening)))
		resume_meet(STREAM_OF_OPENING(e), &round);
}

void rounds_answer(struct streams *all, const struct log_answer *a)
{
	struct round *r = &all->round;
	bool whole = a && !r->broken && recent_holds(&all->recent, r->since);

	if (!r->open)
		return;
	if (!a)
		all->tick_due = true;
	else if (all->connected)
		note_answer(all, a);
	if (whole && tails_make(all, a) != 0) {
		log_error("out of memory: an answer of Redis is lost");
		whole = false;
	}
	if (whole)
		hand_out(all, a);
	opening_ask_again(&all->opening);
	tails_keep(all, whole && !r->broken);
	end_round(all);
	tails_expire(all, clock_seconds(), TAILS_BYTES);
	rounds_go_on(all);
}

/* ---- holes ---- */

static void look_for(struct stream *st, struct topic *t, struct event_id known)
{
	if (!st->replay) {
		st->replay = replay_new(st->n_topics, st->position, false);
		if (!st->replay) {
			client_close(st->client, CLIENT_NO_MEMORY);
			return;
		}
		st->replay->live = st->position;
		client_limit(st->client, false);
		resume_wait(st);
	}
	for (size_t i = 0; i < st->n_topics; i++)
		if (st->topics[i].topic == t)
			replay_hole(st->replay, i, known);
}

/* What was read from the logs and what came since do not make a whole: both are let go. */
void rounds_hole(struct streams *all, struct topic *t, struct event_id known)
{
	struct subscription *s, *following;

	all->stats->holes++;
	log_warn("an event did not come from redis: looking for it in the log");
	all->round.broken = true;
	tails_expire(all, HUGE_VAL, 0);
	TOPIC_EACH(t, s, following)
	{
		struct stream *st = s->listener;
		if (st->state == STREAM_LIVE || (st->replay && st->state == STREAM_WAITING))
			look_for(st, t, known);
	}
}

void rounds_barrier(struct streams *all, uint64_t number)
{
	size_t n = all->n_suspects;

	if (!heard_barrier(&all->heard, number))
		return;
	all->n_suspects = 0;
	for (size_t i = 0; i < n; i++) {
		struct topic *t = all->suspects[i].topic;
		struct event_id last = all->suspects[i].last;
		if (!t || event_id_compare(last, known_of(t)) <= 0)
			continue;
		rounds_hole(all, t, known_of(t));
		t->since = last;
	}
	rounds_go_on(all);
}

/* ---- ends ---- */

void rounds_forget_topic(struct streams *all, struct topic *t)
{
	tails_drop(all, t);
	if (t->slot)
		all->round.topics[t->slot - 1].topic = NULL;
	if (all->check_at == t)
		all->check_at = t->hh.next;
	for (size_t i = 0; i < all->n_suspects; i++)
		if (all->suspects[i].topic == t)
			all->suspects[i].topic = NULL;
}

void rounds_break(struct streams *all)
{
	all->round.broken = true;
	all->round.verifies = false;
	all->n_suspects = 0;
	heard_break(&all->heard);
	tails_expire(all, HUGE_VAL, 0);
}

void rounds_tick(struct streams *all)
{
	tails_expire(all, clock_seconds(), TAILS_BYTES);
}
