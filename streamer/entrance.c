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
#include "streamer/config.h"
#include "streamer/cursor_text.h"
#include "streamer/ending.h"
#include "streamer/jitter.h"
#include "streamer/reception.h"
#include "streamer/stats.h"
#include "streamer/streams.h"
#include "streamer/ticket.h"
#include "streamer/ticket_file.h"

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
	auth_cancel(st->auth);
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

static void on_verdict(void *arg, enum auth_outcome outcome, size_t deciding,
		       const struct auth_verdict *verdict)
{
	struct stream *st = arg;
	struct entrance *e = st->all->owner;

	st->auth = NULL;
	if (outcome == AUTH_ALLOW) {
		stream_admit(st);
	} else if (outcome == AUTH_DENY) {
		reception_deny(e->reception, st->client, st->ask, deciding, verdict);
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
	if (ask->wait_seconds > left)
		ask->wait_seconds = (unsigned)left;
	if (ask->json || ask->head || ask->cursor_only)
		return 0;
	return ending_set(st, left);
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
		reception_deny_topic(e->reception, st->client, st->ask, denied);
		forget(e, st);
		return;
	}
	e->reception->stats->tickets_allowed++;
	note_holder(t);
	if (take_cursor(e->streams, st->ask, t) != 0 || limit(st, t) != 0)
		client_close(st->client, CLIENT_NO_MEMORY);
	else
		stream_admit(st);
}

static void refuse(struct entrance *e, struct stream *st, const char *detail)
{
	e->reception->stats->tickets_denied++;
	reception_refuse_ticket(e->reception, st->client, st->ask, detail);
	forget(e, st);
}

/* The application knows the way to the stream alone, so who asked for the cursor is refused. */
static void send_to_renew(struct entrance *e, struct stream *st)
{
	e->reception->stats->tickets_expired++;
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

	if (status != TICKET_GOOD)
		log_debug("a ticket is refused: %s", t.why);
	switch (status) {
	case TICKET_GOOD: admit_by(e, st, &t); break;
	case TICKET_EXPIRED: send_to_renew(e, st); break;
	case TICKET_EARLY: refuse(e, st, "The ticket is not valid yet"); break;
	case TICKET_BAD: refuse(e, st, "The ticket is not valid"); break;
	case TICKET_NOMEM: client_close(st->client, CLIENT_NO_MEMORY); break;
	}
	ticket_done(&t);
}

/* ---- by whatever is set ---- */

static void ask_url(struct entrance *e, struct stream *st)
{
	char ip[64];

	client_ip_format(&st->ip, ip);
	st->auth = auth_begin(e->auth, st->ask, st->ip.known ? ip : NULL, on_verdict, st);
	if (!st->auth)
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
		refuse(e, st, "A ticket is needed");
	else
		stream_admit(st);
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

void entrance_open(struct entrance *e)
{
	e->streams->poll_answered = give_back_place;
	e->streams->owner = e;
}
