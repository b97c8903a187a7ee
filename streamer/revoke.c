/* revoke: takes topics out of a stream's legs. The topics of a stream stand in one array, leg by
 * leg, and so do the places that they had in the request: what is left moves up in both. */
#include "streamer/revoke.h"

#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/jitter.h"
#include "streamer/notice.h"
#include "streamer/poll.h"
#include "streamer/replay.h"
#include "streamer/stats.h"
#include "streamer/stream.h"
#include "streamer/telling.h"

#define BACK_A_SECOND 1000

/* Marks the lost ones as faulty, in request order. */
static size_t mark(const struct stream *st, struct notice_topic *topics,
		   bool (*lost)(void *arg, struct span topic), void *arg)
{
	size_t n = telling_topics(st, topics), n_lost = 0;

	for (size_t i = 0; i < n; i++) {
		topics[i].faulty = lost(arg, topics[i].name);
		n_lost += topics[i].faulty;
	}
	return n_lost;
}

/* ---- out of the legs ---- */

struct taking {
	struct stream *st;
	const struct notice_topic *topics; /* in request order, the lost ones faulty */
	struct subscription *next;         /* where the next one that stays is put */
	size_t place;                      /* of the next one that is looked at, in all legs */
	size_t kept;
	double now;
};

static bool is_lost(const struct taking *t)
{
	const uint16_t *order = t->st->order;
	return t->topics[order ? order[t->place] : t->place].faulty;
}

static void keep(struct taking *t, struct subscription *s)
{
	if (t->st->order)
		t->st->order[t->kept] = t->st->order[t->place];
	if (s != t->next)
		hub_move(s, t->next);
	t->next++;
	t->kept++;
}

static void take_from(struct taking *t, struct leg *leg)
{
	struct subscription *from = leg->topics, *begin = t->next;
	size_t n = leg->n_topics, i = 0;

	for (size_t k = 0; k < n; k++, t->place++) {
		if (!is_lost(t)) {
			keep(t, &from[k]);
			i++;
			continue;
		}
		hub_leave(&leg->in->hub, &from[k], t->now);
		if (leg->replay)
			replay_remove(leg->replay, i);
	}
	leg->topics = begin;
	leg->n_topics = (uint32_t)i;
}

/* The places of those that stay, without gaps. */
static void close_ranks(struct stream *st, const struct notice_topic *topics)
{
	uint16_t rank[LOG_READ_TOPICS], n = 0;

	for (size_t i = 0; i < st->n_topics; i++) {
		rank[i] = n;
		n += !topics[i].faulty;
	}
	for (size_t k = 0; k < n; k++)
		st->order[k] = rank[st->order[k]];
}

static void take(struct stream *st, const struct notice_topic *topics)
{
	struct taking t = {
		.st = st, .topics = topics, .next = stream_topics(st), .now = clock_seconds()};

	for (size_t i = 0; i < st->n_legs; i++)
		take_from(&t, &st->legs[i]);
	if (st->order)
		close_ranks(st, topics);
	st->n_topics = (uint16_t)t.kept;
}

/* ---- the stream ---- */

size_t stream_revoke(struct stream *st, bool (*lost)(void *arg, struct span topic), void *arg,
		     uint64_t retry_ms)
{
	struct notice_topic topics[LOG_READ_TOPICS];
	size_t n = st->n_topics, n_lost = mark(st, topics, lost, arg);
	bool over = n_lost == n;

	if (n_lost == 0)
		return 0;
	st->all->stats->revoked += n_lost;
	if (st->poll) {
		poll_turn_away(st);
		return n_lost;
	}
	client_push_taken(st->client, notice_revoked(topics, n, over ? retry_ms : 0));
	client_hurry(st->client);
	take(st, topics);
	if (over)
		client_end(st->client);
	return n_lost;
}

static bool any(void *arg, struct span topic)
{
	(void)arg, (void)topic;
	return true;
}

size_t stream_revoke_all(struct stream *st, uint64_t retry_ms)
{
	return stream_revoke(st, any, NULL, retry_ms);
}

uint64_t revoke_retry(const struct stream *st, size_t n)
{
	return jitter_around(st->all->config.retry_ms) +
	       jitter_between(0, n * 1000 / BACK_A_SECOND);
}
