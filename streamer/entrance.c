/* entrance: places and verdicts, joined. A place is taken before the question for a verdict, so
 * that the backend is not asked for more than can be served. */
#include "streamer/entrance.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "common/log.h"
#include "streamer/admission.h"
#include "streamer/ask.h"
#include "streamer/auth.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/config.h"
#include "streamer/cursor_text.h"
#include "streamer/jitter.h"
#include "streamer/kept_ask.h"
#include "streamer/permit.h"
#include "streamer/reception.h"
#include "streamer/stats.h"
#include "streamer/streams.h"
#include "streamer/ticket.h"
#include "streamer/ticket_file.h"
#include "streamer/trail.h"

#define BUSY_LOW_MS  5000u
#define BUSY_HIGH_MS 30000u

static const char restarting[] = "The server is restarting. Try again later.";

static uint64_t busy_retry(const struct entrance *e)
{
	return e->closed ? streams_bye_retry(e->streams)
			 : jitter_between(BUSY_LOW_MS, BUSY_HIGH_MS);
}

static void give_back_place(void *owner, struct stream *st)
{
	struct entrance *e = owner;

	if (st->has_place)
		places_give_back(&e->places, &st->ip);
	st->has_place = false;
}

void entrance_leave(struct entrance *e, struct stream *st)
{
	give_back_place(e, st);
	stream_free(st);
}

/* It will be no stream: its place is free while the answer is on its way. */
static void forget(struct entrance *e, struct stream *st)
{
	st->client->user = NULL;
	entrance_leave(e, st);
}

static void turn_away(struct entrance *e, struct stream *st, const char *detail)
{
	reception_busy(e->reception, st->client, st->ask, detail, busy_retry(e));
	forget(e, st);
}

/* ---- let in, or not ---- */

static void tell_refused(struct stream *st, enum refusal_reason reason, size_t topic,
			 const char *why)
{
	const struct refusal refusal = {
		.reason = reason,
		.topic = st->ask->topics[topic],
		.user = permit_user(st),
		.why = why,
	};
	trail_refused(st, &refusal);
}

/* Whatever says that it may be heard, a revocation says more. Returns false when one did. */
static bool is_clear(struct entrance *e, struct stream *st)
{
	size_t revoked = permit_find_revoked(st);

	if (revoked == st->ask->n_topics)
		return true;
	tell_refused(st, REFUSAL_REVOKED, revoked, NULL);
	reception_deny_topic(e->reception, st->client, st->ask, revoked);
	forget(e, st);
	return false;
}

static void admit(struct entrance *e, struct stream *st)
{
	if (is_clear(e, st))
		stream_admit(st);
}

static bool is_one_answer(const struct ask *ask)
{
	return ask->json || ask->head || ask->cursor_only;
}

static void hold_no_longer(struct ask *ask, double seconds)
{
	if (ask->wait_seconds > seconds)
		ask->wait_seconds = seconds > 0 ? (unsigned)seconds : 0;
}

/* ---- by the auth URL ---- */

/* What is one answer is not asked about again, and not held for longer than the right lasts. */
static int keep_permit(struct entrance *e, struct stream *st, const struct auth_decision *d)
{
	struct permit *p = st->permit;

	if (permit_set_user(p, span_of(d->user)) != 0)
		return -1;
	if (d->until > 0)
		hold_no_longer(st->ask, d->until - clock_seconds());
	if (is_one_answer(st->ask))
		return 0;
	p->kept = kept_ask_hold(&e->streams->kept_asks, st->ask);
	if (!p->kept)
		return -1;
	permit_set_times(p, d->until, e->config->auth_recheck_seconds);
	return 0;
}

static void note_decision(const struct stream *st, const struct auth_decision *d)
{
	const struct refusal refusal = {
		.reason = d->outcome == AUTH_DENY ? REFUSAL_DENIED : REFUSAL_BUSY,
		.topic = st->ask->topics[d->deciding],
		.user = d->verdict->user[0] ? span_of(d->verdict->user) : (struct span){NULL, 0},
		.status = d->verdict->status,
		.asked = st->permit->asked,
	};
	trail_refused(st, &refusal);
}

static void on_verdict(void *arg, const struct auth_decision *d)
{
	struct stream *st = arg;
	struct entrance *e = st->all->owner;

	st->permit->call = NULL;
	if (d->outcome == AUTH_ALLOW) {
		if (keep_permit(e, st, d) == 0)
			admit(e, st);
		else
			client_close(st->client, CLIENT_NO_MEMORY);
		return;
	}
	note_decision(st, d);
	if (d->outcome == AUTH_DENY) {
		reception_deny(e->reception, st->client, st->ask, d->deciding, d->verdict);
		forget(e, st);
	} else {
		turn_away(e, st, "The authorization backend does not answer. Try again later.");
	}
}

/* ---- by ticket ---- */

/* The first topic that it is not for; n_topics: there is none. */
static size_t find_denied(const struct ask *ask, const struct ticket *t)
{
	size_t i = 0;

	while (i < ask->n_topics && ticket_allows(t, ask->topics[i]))
		i++;
	return i;
}

/* One that the listener brought itself is newer. */
static int take_cursor(const struct streams *all, struct ask *ask, const struct ticket *t)
{
	if (ask->cursor.at || !t->cursor.at || !cursor_text_valid(t->cursor, all->cluster))
		return 0;
	ask->granted_cursor = strndup(t->cursor.at, t->cursor.len);
	if (!ask->granted_cursor)
		return -1;
	ask->cursor = (struct span){ask->granted_cursor, t->cursor.len};
	return 0;
}

/* A stream ends with its ticket; what is one answer is not held for longer than that. */
static int limit(struct stream *st, const struct ticket *t)
{
	struct ask *ask = st->ask;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	double left = (double)t->exp - (double)now.tv_sec - (double)now.tv_nsec / 1e9;
	left = left > 0 ? left : 0;
	hold_no_longer(ask, left);
	struct permit *p = permit_new(st);
	if (!p || permit_set_user(p, t->sub) != 0)
		return -1;
	if (!is_one_answer(ask))
		permit_set_times(p, clock_seconds() + left, 0);
	return 0;
}

static void note_holder(const struct ticket *t)
{
	char who[80] = "nobody by name";

	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	if (t->sub.at)
		log_quote(t->sub.at, t->sub.len, who, sizeof(who));
	log_debug("admitted by a ticket for %s until %llu", who, (unsigned long long)t->exp);
}

static void admit_by(struct entrance *e, struct stream *st, const struct ticket *t)
{
	size_t denied = find_denied(st->ask, t);

	if (denied < st->ask->n_topics) {
		e->reception->stats->tickets_denied++;
		tell_refused(st, REFUSAL_OTHER_TOPIC, denied, NULL);
		reception_deny_topic(e->reception, st->client, st->ask, denied);
		forget(e, st);
		return;
	}
	e->reception->stats->tickets_allowed++;
	note_holder(t);
	if (take_cursor(e->streams, st->ask, t) != 0 || limit(st, t) != 0)
		client_close(st->client, CLIENT_NO_MEMORY);
	else
		admit(e, st);
}

static void refuse(struct entrance *e, struct stream *st, enum refusal_reason reason,
		   const char *detail, const char *why)
{
	e->reception->stats->tickets_denied++;
	tell_refused(st, reason, 0, why);
	reception_refuse_ticket(e->reception, st->client, st->ask, detail);
	forget(e, st);
}

/* The application knows the way to the stream alone, so who asked for the cursor is refused. */
static void send_to_renew(struct entrance *e, struct stream *st)
{
	e->reception->stats->tickets_expired++;
	tell_refused(st, REFUSAL_EXPIRED, 0, NULL);
	if (*e->config->ticket_renew_url && !st->ask->cursor_only)
		reception_renew(e->reception, st->client, st->ask, e->config->ticket_renew_url);
	else
		reception_refuse_ticket(e->reception, st->client, st->ask,
					"The ticket has expired");
	forget(e, st);
}

static void judge_ticket(struct entrance *e, struct stream *st)
{
	struct ticket t;
	enum ticket_status status = ticket_read(&t, ticket_file_current(e->tickets),
						st->ask->ticket, (uint64_t)time(NULL));

	switch (status) {
	case TICKET_GOOD: admit_by(e, st, &t); break;
	case TICKET_EXPIRED: send_to_renew(e, st); break;
	case TICKET_EARLY: refuse(e, st, REFUSAL_EARLY, "The ticket is not valid yet", NULL); break;
	case TICKET_BAD: refuse(e, st, REFUSAL_BAD_TICKET, "The ticket is not valid", t.why); break;
	case TICKET_NOMEM: client_close(st->client, CLIENT_NO_MEMORY); break;
	}
	ticket_done(&t);
}

/* ---- by whatever is set ---- */

static void ask_url(struct entrance *e, struct stream *st)
{
	char ip[64];

	client_ip_format(&st->ip, ip);
	struct permit *p = permit_new(st);
	if (!p) {
		client_close(st->client, CLIENT_NO_MEMORY);
		return;
	}
	p->asked = clock_seconds();
	p->call = auth_begin(e->auth, st->ask, st->ip.known ? ip : NULL, false, on_verdict, st);
	if (!p->call)
		turn_away(e, st, "Too many requests wait for authorization. Try again later.");
}

/* A ticket that is there decides. */
static void ask_permission(struct entrance *e, struct stream *st)
{
	if (e->tickets && st->ask->ticket.at)
		judge_ticket(e, st);
	else if (e->auth)
		ask_url(e, st);
	else if (e->tickets)
		refuse(e, st, REFUSAL_NO_TICKET, "A ticket is needed", NULL);
	else
		admit(e, st);
}

void entrance_begin(struct entrance *e, struct client *c, struct ask *ask,
		    const struct http_request *r)
{
	struct sockaddr_storage peer;
	struct client_ip ip = {.known = false};

	if (client_peer(c, &peer) == 0)
		ip = forwarded_client(e->config->trusted, e->config->n_trusted,
				      (const struct sockaddr *)&peer, r);
	const char *full = e->closed ? restarting : places_take(&e->places, &ip);
	if (full) {
		reception_busy(e->reception, c, ask, full, busy_retry(e));
		ask_free(ask);
		return;
	}
	struct stream *st = stream_new(e->streams, c, ask, &ip);
	if (!st) {
		places_give_back(&e->places, &ip);
		client_close(c, CLIENT_NO_MEMORY);
		return;
	}
	st->has_place = true;
	ask_permission(e, st);
}

void entrance_send_away(struct entrance *e, struct stream *st)
{
	turn_away(e, st, restarting);
}

static void forget_verdicts(void *owner, const struct control_selector *who)
{
	struct entrance *e = owner;

	if (e->auth)
		auth_forget(e->auth, who);
}

void entrance_open(struct entrance *e)
{
	e->streams->on_forget = forget_verdicts;
	e->streams->poll_answered = give_back_place;
	e->streams->owner = e;
}
