/* tails: what was read from the logs, kept for a while for those who come with the same topics.
 * Owns every tail; those of the open question's answer belong to it until tails_keep. */
#include "streamer/tails.h"

#include <errno.h>
#include <math.h>
#include "streamer/clock.h"
#include "streamer/log_read.h"
#include "streamer/replay.h"
#include "streamer/stream.h"
#include "streamer/tail.h"

#define TAIL_OF_DEADLINE(d) ((struct tail *)((char *)(d)-offsetof(struct tail, deadline)))

void tails_drop(struct streams *all, struct topic *t)
{
	if (!t->tail)
		return;
	if (t->tail->kept)
		all->tail_bytes -= t->tail->bytes;
	tail_free(t->tail);
	t->tail = NULL;
}

void tails_expire(struct streams *all, double now, size_t most_bytes)
{
	struct deadline *d;

	while ((d = deadline_pop(&all->tails, now)))
		tails_drop(all, TAIL_OF_DEADLINE(d)->topic);
	while (all->tail_bytes > most_bytes && (d = deadline_pop(&all->tails, HUGE_VAL)))
		tails_drop(all, TAIL_OF_DEADLINE(d)->topic);
	if (!all->round.open && deadline_first(&all->tails) < 0)
		recent_stop(&all->recent);
}

static struct tail *new_tail(struct streams *all, size_t i, const struct log_answer *a, size_t room)
{
	const struct round_topic *asked = &all->round.topics[i];
	struct tail *tail = tail_new(room);

	if (!tail)
		return NULL;
	tail->from = asked->from;
	tail->through = a->through;
	tail->last = a->last_ids[i];
	tail->complete = a->complete;
	tail->question = all->round.number;
	tail->since = all->round.since;
	tail->topic = asked->topic;
	return tail;
}

static int fill_tails(struct streams *all, const struct log_answer *a)
{
	for (size_t i = 0; i < a->n_entries; i++) {
		const struct log_entry *e = &a->entries[i];
		const struct round_topic *asked = &all->round.topics[e->topic];
		struct tail *tail = asked->topic && asked->wanted ? asked->topic->tail : NULL;

		if (!tail)
			continue;
		if (tail_add(tail, e->id, e->message, all->config.max_message_size) != 0)
			return -ENOMEM;
		if (e->copy)
			tail->events[tail->n - 1].prev = e->prev;
	}
	return 0;
}

int tails_make(struct streams *all, const struct log_answer *a)
{
	uint32_t counts[LOG_READ_TOPICS] = {0};

	for (size_t i = 0; i < a->n_entries; i++)
		counts[a->entries[i].topic]++;
	for (size_t i = 0; i < all->round.n; i++) {
		struct topic *t = all->round.topics[i].topic;
		if (!t || !all->round.topics[i].wanted)
			continue;
		tails_drop(all, t);
		t->tail = new_tail(all, i, a, counts[i]);
		if (!t->tail)
			return -ENOMEM;
	}
	return fill_tails(all, a);
}

/* One that is not complete served those who asked; what it lacks is not in recent. */
void tails_keep(struct streams *all, bool whole)
{
	for (size_t i = 0; i < all->round.n; i++) {
		struct topic *t = all->round.topics[i].topic;
		if (!t || !t->tail || t->tail->question != all->round.number)
			continue;
		if (!whole || !t->tail->complete) {
			tails_drop(all, t);
			continue;
		}
		t->tail->kept = true;
		all->tail_bytes += t->tail->bytes;
		deadline_start(&all->tails, &t->tail->deadline, clock_seconds());
	}
}

const struct tail *tails_shared(const struct stream *st)
{
	const struct tail *first = st->topics[0].topic->tail;

	for (size_t i = 0; i < st->n_topics; i++) {
		const struct tail *tail = st->topics[i].topic->tail;
		if (!tail || tail->question != first->question ||
		    event_id_compare(replay_from(st->replay, i), tail->from) < 0 ||
		    event_id_compare(replay_from(st->replay, i), tail->through) > 0)
			return NULL;
	}
	return first;
}
