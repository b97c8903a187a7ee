/* entrance: places and verdicts, joined. A place is taken before the question for a verdict, so
 * that the backend is not asked for more than can be served. */
#include "streamer/entrance.h"

#include <stddef.h>
#include "streamer/admission.h"
#include "streamer/ask.h"
#include "streamer/auth.h"
#include "streamer/client.h"
#include "streamer/config.h"
#include "streamer/jitter.h"
#include "streamer/reception.h"
#include "streamer/streams.h"

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

static void ask_permission(struct entrance *e, struct stream *st)
{
	char ip[64];

	if (!e->auth) {
		stream_admit(st);
		return;
	}
	client_ip_format(&st->ip, ip);
	st->auth = auth_begin(e->auth, st->ask, st->ip.known ? ip : NULL, on_verdict, st);
	if (!st->auth)
		turn_away(e, st, "Too many requests wait for authorization. Try again later.");
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
