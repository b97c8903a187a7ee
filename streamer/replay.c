/* replay: a merge of tails. Owns nothing but its marks; a topic with a fault is left out up to the
 * position of the answer that showed it, since whoever is told to fetch it anew sees all of that.
 */
#include "streamer/replay.h"

#include <stdlib.h>
#include <string.h>
#include "streamer/hub.h"
#include "streamer/tail.h"

struct replay *replay_new(size_t n_topics, struct event_id position, bool counting)
{
	struct replay *r = calloc(1, sizeof(*r) + n_topics * sizeof(r->topics[0]));
	if (!r)
		return NULL;
	r->position = position;
	r->counting = counting;
	r->n_topics = n_topics;
	return r;
}

struct event_id replay_from(const struct replay *r, size_t i)
{
	const struct replay_topic *t = &r->topics[i];
	return t->hole || event_id_compare(t->base, r->position) > 0 ? t->base : r->position;
}

static void give_up(struct replay_topic *t, enum replay_fault fault, struct event_id at)
{
	t->fault = (uint8_t)fault;
	t->fresh = true;
	t->hole = t->dropped = false;
	t->base = at;
}

void replay_hole(struct replay *r, size_t i, struct event_id known)
{
	struct replay_topic *t = &r->topics[i];

	if (event_id_is_zero(r->live) || event_id_compare(known, replay_from(r, i)) >= 0)
		return; /* it lies ahead of the walk */
	t->hole = true;
	t->base = known;
}

void replay_drop(struct replay *r, size_t i)
{
	r->topics[i].dropped = true;
}

/* A walk begins anew with each answer, so what is left of one does not matter. */
void replay_remove(struct replay *r, size_t i)
{
	r->n_topics--;
	r->n_order = 0;
	memmove(&r->topics[i], &r->topics[i + 1], (r->n_topics - i) * sizeof(r->topics[0]));
}

void replay_give_up(struct replay *r, enum replay_fault fault, struct event_id at)
{
	for (size_t i = 0; i < r->n_topics; i++)
		give_up(&r->topics[i], fault, at);
}

/* Who was live, and only looks for an event that did not come, has heard that the topic was silent
 * where the index has forgotten it. */
static bool was_silent(const struct replay *r, const struct tail *tail, size_t first,
		       struct event_id floor)
{
	return !event_id_is_zero(r->live) && first < tail->n &&
	       event_id_compare(tail->events[first].prev, floor) <= 0;
}

static enum replay_fault judge(const struct replay *r, size_t i, const struct tail *tail,
			       struct event_id floor)
{
	static const enum replay_fault faults[] = {
		[TAIL_WHOLE] = REPLAY_FINE,
		[TAIL_TRIMMED] = REPLAY_TRIMMED,
		[TAIL_EXPIRED] = REPLAY_EXPIRED,
	};
	struct event_id from = replay_from(r, i);
	size_t first = tail_after(tail, from);

	if (r->topics[i].hole && first < tail->n &&
	    event_id_compare(tail->events[first].id, r->live) <= 0)
		return REPLAY_MISSED;
	if (was_silent(r, tail, first, floor))
		return REPLAY_FINE;
	return faults[tail_judge(tail, from)];
}

void replay_begin(struct replay *r, const struct subscription *topics, struct event_id at,
		  struct event_id floor)
{
	r->n_order = 0;
	for (size_t i = 0; i < r->n_topics; i++) {
		struct replay_topic *t = &r->topics[i];
		const struct tail *tail = topics[i].topic->tail;
		enum replay_fault fault = t->dropped ? REPLAY_DROPPED
					  : tail     ? judge(r, i, tail, floor)
						     : REPLAY_FINE;

		if (fault != REPLAY_FINE)
			give_up(t, fault, at);
		t->hole = false;
		if (!tail)
			continue;
		t->at = (uint32_t)tail_after(tail, replay_from(r, i));
		if (t->at < tail->n)
			r->topics[r->n_order++].order = (uint32_t)i;
	}
}

/* The event of topic i that comes next in it, NULL at its end. */
static const struct tail_event *head(struct replay *r, const struct subscription *topics, size_t i)
{
	const struct tail *tail = topics[i].topic->tail;
	struct replay_topic *t = &r->topics[i];

	while (t->at < tail->n && event_id_compare(tail->events[t->at].id, r->position) <= 0)
		t->at++;
	return t->at < tail->n ? &tail->events[t->at] : NULL;
}

static const struct tail_event *first_of_all(struct replay *r, const struct subscription *topics)
{
	const struct tail_event *first = NULL;

	for (size_t k = 0; k < r->n_order; k++) {
		const struct tail_event *e = head(r, topics, r->topics[k].order);
		if (e && (!first || event_id_compare(e->id, first->id) < 0))
			first = e;
	}
	return first;
}

struct frame *replay_next(struct replay *r, const struct subscription *topics)
{
	const struct tail_event *e;

	while ((e = first_of_all(r, topics))) {
		r->position = e->id;
		if (e->frame)
			return e->frame;
	}
	return NULL;
}

bool replay_resumes(const struct replay *r)
{
	for (size_t i = 0; i < r->n_topics; i++)
		if (r->topics[i].fault == REPLAY_FINE)
			return true;
	return false;
}

size_t replay_untold(const struct replay *r, enum replay_fault *worst)
{
	size_t n = 0;

	*worst = REPLAY_FINE;
	for (size_t i = 0; i < r->n_topics; i++) {
		const struct replay_topic *t = &r->topics[i];
		if (!t->fresh)
			continue;
		n++;
		if (t->fault > *worst)
			*worst = (enum replay_fault)t->fault;
	}
	return n;
}

void replay_told(struct replay *r)
{
	for (size_t i = 0; i < r->n_topics; i++)
		r->topics[i].fresh = false;
}

const char *replay_fault_word(enum replay_fault fault)
{
	static const char *const words[] = {
		[REPLAY_FINE] = "fine",       [REPLAY_EXPIRED] = "expired",
		[REPLAY_TRIMMED] = "trimmed", [REPLAY_MISSED] = "missed",
		[REPLAY_DROPPED] = "slow",    [REPLAY_UNKNOWN] = "unknown",
		[REPLAY_LOST] = "redis_lost",
	};
	return words[fault];
}
