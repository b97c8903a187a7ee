/* tails: what was read from the logs, kept for a while for those who come with the same topics.
 * Owns every tail; those of the open question's answer belong to it until tails_keep. */
#include "streamer/tails.h"

#include <errno.h>
#include <math.h>
#include "streamer/clock.h"
#include "streamer/event_frame.h"
#include "streamer/log_read.h"
#include "streamer/replay.h"
#include "streamer/stream.h"
#include "streamer/tail.h"

#define TAIL_OF_DEADLINE(d) ((struct tail *)((char *)(d)-offsetof(struct tail, deadline)))

void tails_drop(struct partition *in, struct topic *t)
{
	if (!t->tail)
		return;
	if (t->tail->kept)
		in->tail_bytes -= t->tail->bytes;
	tail_free(t->tail);
	t->tail = NULL;
}

void tails_expire(struct partition *in, double now, size_t most_bytes)
{
	struct deadline *d;

	while ((d = deadline_pop(&in->tails, now)))
		tails_drop(in, TAIL_OF_DEADLINE(d)->topic);
	while (in->tail_bytes > most_bytes && (d = deadline_pop(&in->tails, HUGE_VAL)))
		tails_drop(in, TAIL_OF_DEADLINE(d)->topic);
	if (!in->round.open && deadline_first(&in->tails) < 0)
		recent_stop(&in->recent);
}

static struct tail *new_tail(struct partition *in, size_t i, const struct log_answer *a,
			     size_t room)
{
	const struct round_topic *asked = &in->round.topics[i];
	struct tail *tail = tail_new(room);

	if (!tail)
		return NULL;
	tail->from = asked->from;
	tail->through = a->through;
	tail->last = a->last_ids[i];
	tail->complete = a->complete;
	tail->question = in->round.number;
	tail->since = in->round.since;
	tail->topic = asked->topic;
	return tail;
}

static int fill_tails(struct partition *in, const struct log_answer *a)
{
	for (size_t i = 0; i < a->n_entries; i++) {
		const struct log_entry *e = &a->entries[i];
		const struct round_topic *asked = &in->round.topics[e->topic];
		struct tail *tail = asked->topic && asked->wanted ? asked->topic->tail : NULL;

		if (!tail)
			continue;
		struct event_place place = {
			.partition = in->number,
			.n_partitions = in->all->cluster ? in->all->n_partitions : 0,
		};
		if (tail_add(tail, e->id, e->message, in->all->config.max_message_size, &place) !=
		    0)
			return -ENOMEM;
		if (e->copy)
			tail->events[tail->n - 1].prev = e->prev;
	}
	return 0;
}

int tails_make(struct partition *in, const struct log_answer *a)
{
	uint32_t counts[LOG_READ_TOPICS] = {0};

	for (size_t i = 0; i < a->n_entries; i++)
		counts[a->entries[i].topic]++;
	for (size_t i = 0; i < in->round.n; i++) {
		struct topic *t = in->round.topics[i].topic;
		if (!t || !in->round.topics[i].wanted)
			continue;
		tails_drop(in, t);
		t->tail = new_tail(in, i, a, counts[i]);
		if (!t->tail)
			return -ENOMEM;
	}
	return fill_tails(in, a);
}

/* One that is not complete served those who asked; what it lacks is not in recent. */
void tails_keep(struct partition *in, bool whole)
{
	for (size_t i = 0; i < in->round.n; i++) {
		struct topic *t = in->round.topics[i].topic;
		if (!t || !t->tail || t->tail->question != in->round.number)
			continue;
		if (!whole || !t->tail->complete) {
			tails_drop(in, t);
			continue;
		}
		t->tail->kept = true;
		in->tail_bytes += t->tail->bytes;
		deadline_start(&in->tails, &t->tail->deadline, clock_seconds());
	}
}

const struct tail *tails_shared(const struct leg *leg)
{
	const struct tail *first = leg->topics[0].topic->tail;

	for (size_t i = 0; i < leg->n_topics; i++) {
		const struct tail *tail = leg->topics[i].topic->tail;
		if (!tail || tail->question != first->question ||
		    event_id_compare(replay_from(leg->replay, i), tail->from) < 0 ||
		    event_id_compare(replay_from(leg->replay, i), tail->through) > 0)
			return NULL;
	}
	return first;
}
