/* rounds: composes questions and hands out their answers. Owns what is known of the open question;
 * moves no stream by itself (resume.c does), knows no connection.
 *
 * All topics of a stream stand in one question, so that its events come in the order of ids: tails
 * of two moments would not fit together. */
#include "streamer/rounds.h"

#include <errno.h>
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
#define CHECK_TOPICS    ROUND_SUSPECTS
#define SHARED_EVENTS   1024 /* with more after it, a new question is cheaper than an old tail */

#define LEG_OF_OPENING(e) ((struct leg *)((char *)(e)-offsetof(struct leg, opening)))

/* ---- who needs no question ---- */

/* As if it had been part of the question that its tails answer. */
static void serve_from_tails(struct leg *leg)
{
	struct partition *in = leg->in;
	const struct tail *tail = leg->replay && leg->n_topics > 0 ? tails_shared(leg) : NULL;

	if (!tail || !recent_holds(&in->recent, tail->since) ||
	    in->recent.next - tail->since > SHARED_EVENTS)
		return;
	struct log_answer a = {
		.at = tail->through,
		.last = tail->through,
		.mark = in->mark,
		.floor = in->floor,
		.through = tail->through,
		.complete = true,
	};
	struct resume_round round = {.answer = &a, .since = tail->since, .fresh = false};
	opening_leave(&leg->opening);
	resume_meet(leg, &round);
}

static void serve_all_from_tails(struct partition *in)
{
	struct opening_entry *e = opening_first(&in->opening), *next;

	for (; e; e = next) {
		next = opening_next(&in->opening, e);
		serve_from_tails(LEG_OF_OPENING(e));
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

static size_t count_new_topics(const struct leg *leg)
{
	size_t n = 0;

	for (size_t i = 0; i < leg->n_topics; i++)
		n += leg->topics[i].topic->slot == 0;
	return n;
}

/* Returns false when the question has no room for it. */
static bool add_stream(struct round *r, struct leg *leg)
{
	if (!leg->replay)
		return true; /* the position is all that it needs */
	if (r->n > 0 && r->n + count_new_topics(leg) > QUESTION_TOPICS)
		return false;
	for (size_t i = 0; i < leg->n_topics; i++)
		add_topic(r, leg->topics[i].topic, replay_from(leg->replay, i))->wanted = true;
	return true;
}

/* Streams of one kind together (enum replay_turn), in the order in which they became ready. */
static void add_streams(struct partition *in)
{
	struct opening_entry *e = opening_first(&in->opening), *next;
	int turn = -1;

	for (; e; e = next) {
		struct leg *leg = LEG_OF_OPENING(e);
		next = opening_next(&in->opening, e);
		if (leg->replay && turn < 0)
			turn = (int)leg->replay->turn;
		if (leg->replay && (int)leg->replay->turn != turn)
			continue;
		if (!add_stream(&in->round, leg))
			break;
		opening_ask(&in->opening, e);
	}
}

/* Some topics in turn, so that each comes up in time. */
static void add_checks(struct partition *in)
{
	struct topic *t = in->check_at ? in->check_at : in->hub.topics;

	for (size_t i = 0; t && i < CHECK_TOPICS; i++, t = t->hh.next) {
		if (in->round.n >= QUESTION_TOPICS && t->slot == 0)
			break;
		if (!event_id_is_zero(t->since))
			add_topic(&in->round, t, known_of(t))->check = true;
	}
	in->check_at = t;
}

/* What was heard from the server before: what came since says nothing of that. */
static void ask_about_before(const struct partition *in, struct log_question *q)
{
	const struct heard_before *b = &in->before;

	q->known = b->known;
	q->known_by = span_of(b->server);
	if (b->newest_len > 0)
		q->newest = (struct log_from){{b->newest, b->newest_len}, b->latest};
}

/* The revocations in force are not known yet, and those that come from now on come by themselves.
 */
static bool may_learn(const struct partition *in)
{
	return in->learn && in->answered >= in->control_asked;
}

static bool send_question(struct partition *in)
{
	struct log_from topics[LOG_READ_TOPICS];
	struct log_question q = {
		.known = in->heard.known,
		.server = span_of(in->server),
		.known_by = span_of(in->server),
		.topics = topics,
		.n = in->round.n,
	};

	q.revocations = in->round.learns = may_learn(in);
	in->round.verifies = in->verify;
	if (in->verify)
		ask_about_before(in, &q);
	for (size_t i = 0; i < q.n; i++) {
		const struct round_topic *asked = &in->round.topics[i];
		topics[i] = (struct log_from){{asked->topic->name, asked->topic->name_len},
					      asked->from};
	}
	return in->all->ops->ask(in->all->arg, in->number, &q);
}

/* Everything of the question is over. */
static void end_round(struct partition *in)
{
	struct round *r = &in->round;

	for (size_t i = 0; i < r->n; i++)
		if (r->topics[i].topic)
			r->topics[i].topic->slot = 0;
	r->n = 0;
	r->open = false;
}

/* Room for questions, made with the first one. */
static int prepare(struct partition *in)
{
	struct round *r = &in->round;

	if (!r->topics)
		r->topics = calloc(LOG_READ_TOPICS, sizeof(*r->topics));
	if (!r->suspects)
		r->suspects = calloc(ROUND_SUSPECTS, sizeof(*r->suspects));
	return r->topics && r->suspects ? recent_prepare(&in->recent) : -ENOMEM;
}

static void go_on(struct partition *in)
{
	struct round *r = &in->round;

	if (!in->connected || r->open)
		return;
	if (prepare(in) != 0) {
		log_error("out of memory: the logs can't be asked");
		return;
	}
	if (!in->learn)
		serve_all_from_tails(in);
	if (!opening_first(&in->opening) && !in->tick_due && !may_learn(in))
		return;
	r->number++;
	r->broken = false;
	add_streams(in);
	if (in->tick_due)
		add_checks(in);
	r->since = recent_start(&in->recent);
	r->open = true;
	if (send_question(in)) {
		in->tick_due = false;
		return;
	}
	opening_ask_again(&in->opening);
	end_round(in);
}

/* Who is served may open a stream, whose other legs then wake other partitions: they have their
 * turn one after the other, so that no list changes under a walk. */
void rounds_go_on(struct partition *in)
{
	struct streams *all = in->all;

	if (!in->wakes) {
		in->wakes = true;
		in->next_woken = all->woken;
		all->woken = in;
	}
	if (all->going)
		return;
	all->going = true;
	while (all->woken) {
		in = all->woken;
		all->woken = in->next_woken;
		in->wakes = false;
		go_on(in);
	}
	all->going = false;
}

/* ---- the answer ---- */

static void note_suspects(struct partition *in, const struct log_answer *a)
{
	in->round.n_suspects = 0;
	for (size_t i = 0; i < in->round.n && in->round.n_suspects < ROUND_SUSPECTS; i++) {
		const struct round_topic *asked = &in->round.topics[i];
		if (asked->topic && asked->check &&
		    event_id_compare(a->last_ids[i], known_of(asked->topic)) > 0)
			in->round.suspects[in->round.n_suspects++] =
				(struct suspect){asked->topic, a->last_ids[i]};
	}
}

static bool begin_replay(struct leg *leg)
{
	leg->replay = replay_new(leg->n_topics, leg->position, false);
	if (!leg->replay) {
		client_close(leg->stream->client, CLIENT_NO_MEMORY);
		return false;
	}
	client_limit(leg->stream->client, false);
	resume_wait(leg);
	return true;
}

/* Somebody found out that Redis has lost something; whoever was live by then can't know what. */
static void tell_of_mark(struct partition *in, struct event_id mark)
{
	if (event_id_compare(mark, in->mark) <= 0)
		return;
	if (!event_id_is_zero(in->heard.known))
		log_warn("redis may have lost events (a failover, or its data is gone): listeners "
			 "of partition %u are told to fetch anew",
			 in->number);
	for (struct leg *leg = in->first; leg; leg = leg->next)
		if (leg->state == LEG_LIVE && leg->n_topics > 0 &&
		    event_id_compare(leg->met, mark) < 0 && begin_replay(leg))
			leg->replay->lost = true;
}

static void note_answer(struct partition *in, const struct log_answer *a)
{
	redis_clock_note(&in->clock, a->at, clock_seconds());
	tell_of_mark(in, a->mark);
	in->mark = a->mark;
	in->floor = a->floor;
	if (in->round.verifies)
		in->verify = false;
	if (in->round.learns) {
		in->learn = false;
		in->all->on_revocations(in->all, a);
	}
	if (heard_position(&in->heard, a->at)) {
		note_suspects(in, a);
		in->all->ops->barrier(in->all->arg, in->number, in->heard.barrier);
	}
}

static void hand_out(struct partition *in, const struct log_answer *a)
{
	struct resume_round round = {.answer = a, .since = in->round.since, .fresh = true};
	struct opening_entry *e;

	while ((e = opening_take(&in->opening)))
		resume_meet(LEG_OF_OPENING(e), &round);
}

void rounds_answer(struct partition *in, const struct log_answer *a)
{
	struct round *r = &in->round;
	bool whole = a && !r->broken && recent_holds(&in->recent, r->since);

	if (!r->open)
		return;
	if (!a)
		in->tick_due = true;
	else if (in->connected)
		note_answer(in, a);
	if (whole && tails_make(in, a) != 0) {
		log_error("out of memory: an answer of Redis is lost");
		whole = false;
	}
	if (whole)
		hand_out(in, a);
	opening_ask_again(&in->opening);
	tails_keep(in, whole && !r->broken);
	end_round(in);
	tails_expire(in, clock_seconds(), TAILS_BYTES);
	rounds_go_on(in);
}

/* ---- holes ---- */

static void look_for(struct leg *leg, struct topic *t, struct event_id known)
{
	if (!leg->replay) {
		if (!begin_replay(leg))
			return;
		leg->replay->live = leg->position;
	}
	for (size_t i = 0; i < leg->n_topics; i++)
		if (leg->topics[i].topic == t)
			replay_hole(leg->replay, i, known);
}

/* What was read from the logs and what came since do not make a whole: both are let go. */
void rounds_hole(struct partition *in, struct topic *t, struct event_id known)
{
	struct subscription *s, *following;

	in->all->stats->holes++;
	log_warn("an event did not come from redis: looking for it in the log");
	in->round.broken = true;
	tails_expire(in, HUGE_VAL, 0);
	TOPIC_EACH(t, s, following)
	{
		struct leg *leg = s->listener;
		if (leg->state == LEG_LIVE || (leg->replay && leg->state == LEG_WAITING))
			look_for(leg, t, known);
	}
}

void rounds_barrier(struct partition *in, uint64_t number)
{
	size_t n = in->round.n_suspects;

	if (!heard_barrier(&in->heard, number))
		return;
	in->round.n_suspects = 0;
	for (size_t i = 0; i < n; i++) {
		struct topic *t = in->round.suspects[i].topic;
		struct event_id last = in->round.suspects[i].last;
		if (!t || event_id_compare(last, known_of(t)) <= 0)
			continue;
		rounds_hole(in, t, known_of(t));
		t->since = last;
	}
	rounds_go_on(in);
}

/* ---- ends ---- */

void rounds_forget_topic(struct partition *in, struct topic *t)
{
	tails_drop(in, t);
	if (t->slot)
		in->round.topics[t->slot - 1].topic = NULL;
	if (in->check_at == t)
		in->check_at = t->hh.next;
	for (size_t i = 0; i < in->round.n_suspects; i++)
		if (in->round.suspects[i].topic == t)
			in->round.suspects[i].topic = NULL;
}

void rounds_break(struct partition *in)
{
	in->round.broken = true;
	in->round.verifies = in->round.learns = false;
	in->round.n_suspects = 0;
	heard_break(&in->heard);
	tails_expire(in, HUGE_VAL, 0);
}

void rounds_tick(struct partition *in)
{
	tails_expire(in, clock_seconds(), TAILS_BYTES);
}
