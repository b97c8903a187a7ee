/* recheck: see recheck.h. While the auth URL does not answer a stream keeps what it has, and is
 * asked about again soon; but a right that was given for a time ends with it. */
#include "streamer/recheck.h"

#include <errno.h>
#include <stdlib.h>
#include "common/log.h"
#include "streamer/ask.h"
#include "streamer/auth.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/jitter.h"
#include "streamer/kept_ask.h"
#include "streamer/notice.h"
#include "streamer/permit.h"
#include "streamer/revoke.h"
#include "streamer/stats.h"
#include "streamer/stream.h"
#include "streamer/telling.h"
#include "streamer/trail.h"

#define EXPIRED_LOW_MS  100u
#define EXPIRED_HIGH_MS 1000u
#define BUSY_LOW_MS     5000u
#define BUSY_HIGH_MS    30000u
#define CROWDED_SECONDS 1.

static void expire(struct stream *st)
{
	st->all->stats->expired++;
	client_push_taken(st->client,
			  notice_expired(jitter_between(EXPIRED_LOW_MS, EXPIRED_HIGH_MS)));
	client_end(st->client);
}

static bool is_over(const struct permit *p)
{
	return p->ends > 0 && clock_seconds() >= p->ends;
}

/* Nobody says yes or no. status: of the auth URL's answer, 0: there was none. */
static void bear_silence(struct permit *p, unsigned status)
{
	uint64_t ms = jitter_between(BUSY_LOW_MS, BUSY_HIGH_MS);
	const struct refusal refusal = {
		.reason = REFUSAL_BUSY,
		.user = permit_user(p->stream),
		.status = status,
		.asked = p->asked,
	};

	if (!is_over(p)) {
		permit_postpone(p, (double)ms / 1000.);
		return;
	}
	trail_refused(p->stream, &refusal);
	p->stream->all->stats->rejected++;
	client_push_taken(p->stream->client,
			  notice_busy("The authorization backend does not answer", ms));
	client_end(p->stream->client);
}

/* ---- the answer ---- */

static const struct auth_verdict *verdict_on(const struct permit *p, const struct auth_decision *d,
					     struct span topic)
{
	for (size_t i = 0; i < p->question->n_topics; i++)
		if (span_equal(p->question->topics[i], topic))
			return d->verdicts[i];
	return NULL;
}

struct judging {
	const struct permit *permit;
	const struct auth_decision *decision;
	struct span user; /* as the answer says; at == NULL: it does not */
	double now;
};

/* v: the verdict that says so; NULL: none does. */
static void note(const struct judging *j, enum refusal_reason reason, struct span topic,
		 const struct auth_verdict *v)
{
	const struct stream *st = j->permit->stream;
	const struct refusal refusal = {
		.reason = reason,
		.topic = topic,
		.user = j->user.at ? j->user : permit_user(st),
		.status = v ? v->status : 0,
		.asked = v ? j->permit->asked : 0,
	};
	trail_refused(st, &refusal);
}

/* By the answer, or since the stream is somebody else's now, who may not hear it. */
static bool is_denied(void *arg, struct span topic)
{
	const struct judging *j = arg;
	const struct auth_verdict *v = verdict_on(j->permit, j->decision, topic);

	if (v && v->outcome == AUTH_DENY)
		note(j, REFUSAL_WITHDRAWN, topic, v);
	else if (j->user.at &&
		 revocations_hold(&j->permit->stream->all->revocations, j->user, topic, j->now))
		note(j, REFUSAL_REVOKED, topic, NULL);
	else
		return false;
	return true;
}

/* Of the first topic that nothing was said of, NULL: there is none. */
static const struct auth_verdict *find_silent(const struct permit *p, const struct auth_decision *d)
{
	for (size_t i = 0; i < p->question->n_topics; i++)
		if (!d->verdicts[i] || d->verdicts[i]->outcome == AUTH_BUSY)
			return d->verdicts[i] ? d->verdicts[i] : auth_reply_plain(AUTH_BUSY);
	return NULL;
}

/* An answer that names nobody leaves the name as it was. Where some topic has none, the others'
 * still count, and so does the end that they set, if that is nearer. */
static int take_answer(struct permit *p, const struct recheck *r, const struct auth_decision *d)
{
	const struct auth_verdict *silent = find_silent(p, d);
	int err = d->user[0] ? permit_set_user(p, span_of(d->user)) : 0;

	if (!silent) {
		permit_set_times(p, d->until, r->seconds);
		return err;
	}
	if (d->until > 0 && (p->ends <= 0 || d->until < p->ends))
		p->ends = d->until;
	bear_silence(p, silent->status);
	return err;
}

static void on_verdict(void *arg, const struct auth_decision *d)
{
	struct permit *p = arg;
	struct stream *st = p->stream;
	struct judging judging = {
		.permit = p,
		.decision = d,
		.user = d->user[0] ? span_of(d->user) : (struct span){NULL, 0},
		.now = clock_seconds(),
	};

	p->call = NULL;
	stream_revoke(st, is_denied, &judging, revoke_retry(st, 0));
	int err = take_answer(p, st->all->recheck, d);
	ask_free(p->question);
	p->question = NULL;
	if (err)
		client_close(st->client, CLIENT_NO_MEMORY);
}

/* ---- the question ---- */

/* In request order: the first one says whose stream it is. */
static size_t gather(const struct stream *st, struct span *topics)
{
	struct notice_topic of[LOG_READ_TOPICS];
	size_t n = telling_topics(st, of);

	for (size_t i = 0; i < n; i++)
		topics[i] = of[i].name;
	return n;
}

static int ask(struct recheck *r, struct permit *p)
{
	struct span topics[LOG_READ_TOPICS];
	char ip[64];

	client_ip_format(&p->stream->ip, ip);
	p->question = kept_ask_again(p->kept, topics, gather(p->stream, topics));
	if (!p->question)
		return -ENOMEM;
	p->asked = clock_seconds();
	p->call = auth_begin(r->auth, p->question, p->stream->ip.known ? ip : NULL, true,
			     on_verdict, p);
	if (p->call)
		return 0;
	ask_free(p->question);
	p->question = NULL;
	return -errno;
}

/* A right that is over is waited for no longer than for one answer. */
static void begin(struct recheck *r, struct permit *p)
{
	if (ask(r, p) != 0)
		bear_silence(p, 0);
	else if (p->ends > 0)
		permit_look_at(p, (is_over(p) ? clock_seconds() : p->ends) + r->patience);
}

/* Who comes in goes first, but not before whom the time has run out for. */
static void on_due(void *arg, struct permit *p)
{
	struct recheck *r = arg;
	struct stream *st = p->stream;

	if (!st->admitted || st->poll || !client_is_open(st->client))
		return;
	if (p->call) {
		permit_drop_call(p);
		bear_silence(p, 0);
	} else if (!p->kept) {
		expire(st);
	} else if (auth_waiting(r->auth) > r->max_waiting && !is_over(p)) {
		permit_postpone(p, CROWDED_SECONDS);
	} else {
		begin(r, p);
	}
}

void recheck_tick(struct recheck *r)
{
	permits_tick(r->streams, on_due, r);
}
