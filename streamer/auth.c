/* auth: the line of calls and what becomes of them. Owns the handles of listeners, their calls and
 * the line; the HTTP side is auth_http.c's, what an answer means auth_reply.c's, what to do with a
 * verdict server.c's. */
#include "streamer/auth.h"

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "common/log.h"
#include "streamer/ask.h"
#include "streamer/auth_http.h"
#include "streamer/auth_url.h"
#include "streamer/clock.h"
#include "streamer/stats.h"

#define COMPLAIN_SECONDS 60.

struct call {
	struct auth_ask *of;
	size_t topic;
	struct call *prev, *next; /* in the line */
	bool in_line;
	struct auth_http_call *http; /* under way */
	double begun;
	struct auth_verdict *words; /* of a verdict that has some; owned */
};

struct auth_ask {
	struct auth *auth;
	const struct ask *ask;
	char *client_ip;
	auth_done_fn done;
	void *arg;
	size_t n;
	const struct auth_verdict **verdicts; /* in request order; NULL: no answer yet */
	struct call calls[];
};

struct auth {
	struct ev_loop *loop;
	struct auth_config config;
	struct auth_url url;
	struct auth_http *http;
	struct stats *stats;
	struct call line; /* a ring through its head */
	size_t inflight, waiting;
	double complained_at;
	ev_prepare start; /* begins what is in line, so that auth_begin never calls back */
};

/* Most verdicts are these, and need no memory of their own. */
static const struct auth_verdict allowed = {.outcome = AUTH_ALLOW};
static const struct auth_verdict busy = {.outcome = AUTH_BUSY};

size_t auth_inflight(const struct auth *a)
{
	return a->inflight;
}

size_t auth_waiting(const struct auth *a)
{
	return a->waiting;
}

static void leave_line(struct auth *a, struct call *c)
{
	if (!c->in_line)
		return;
	c->prev->next = c->next;
	c->next->prev = c->prev;
	c->in_line = false;
	a->waiting--;
}

static void join_line(struct auth *a, struct call *c)
{
	c->prev = a->line.prev;
	c->next = &a->line;
	c->prev->next = c;
	a->line.prev = c;
	c->in_line = true;
	a->waiting++;
}

void auth_cancel(struct auth_ask *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++) {
		struct call *c = &h->calls[i];
		leave_line(h->auth, c);
		if (c->http) {
			auth_http_cancel(c->http);
			h->auth->inflight--;
		}
		free(c->words);
	}
	free(h->verdicts);
	free(h->client_ip);
	free(h);
}

/* In words that help whoever set up the auth URL; once a minute, since every listener may provoke
 * it. */
static void complain(struct auth *a, unsigned status, const char *redirect, const char *why)
{
	char where[200];
	double now = clock_seconds();

	if (a->complained_at != 0 && now - a->complained_at < COMPLAIN_SECONDS)
		return;
	a->complained_at = now;
	if (status == 0)
		log_warn("auth_url did not answer: %s", why);
	else if (redirect)
		log_warn("auth_url answered %u to %s; it must answer 2xx, 401 or 403", status,
			 log_quote(redirect, strlen(redirect), where, sizeof(where)));
	else
		log_warn("auth_url answered %u; it must answer 2xx, 401 or 403", status);
}

/* Tells the verdict when there is one; the handle is gone then. */
static void settle(struct auth_ask *h)
{
	size_t deciding;
	enum auth_outcome outcome = auth_reply_decide(h->verdicts, h->n, &deciding);

	if (outcome == AUTH_PENDING)
		return;
	struct auth_verdict verdict = *h->verdicts[deciding];
	auth_done_fn done = h->done;
	void *arg = h->arg;
	auth_cancel(h);
	done(arg, outcome, deciding, &verdict);
}

/* A denial that finds no memory for its words becomes busy: never an admission. */
static void set_verdict(struct call *c, const struct auth_verdict *verdict)
{
	const struct auth_verdict **place = &c->of->verdicts[c->topic];

	*place = verdict->outcome == AUTH_ALLOW ? &allowed : &busy;
	if (verdict->outcome != AUTH_DENY)
		return;
	c->words = malloc(sizeof(*c->words));
	if (!c->words)
		return;
	*c->words = *verdict;
	*place = c->words;
}

static void on_answer(void *arg, const struct auth_http_answer *answer)
{
	struct call *c = arg;
	struct auth *a = c->of->auth;
	struct auth_verdict verdict = {.outcome = AUTH_BUSY};

	c->http = NULL;
	a->inflight--;
	if (answer->status != 0)
		auth_reply_read(answer->status, answer->www_authenticate, answer->body, &verdict);
	if (answer->cut &&
	    verdict.outcome == AUTH_ALLOW) /* a no is one also when its page is long */
		verdict.outcome = AUTH_BUSY;
	if (verdict.outcome == AUTH_BUSY)
		complain(a, answer->cut ? 0 : answer->status, answer->redirect, answer->why);
	stats_auth(a->stats, verdict.outcome, clock_seconds() - c->begun);
	set_verdict(c, &verdict);
	settle(c->of);
}

static void begin_call(struct auth *a, struct call *c)
{
	struct auth_http_request request = {
		.url = &a->url,
		.ask = c->of->ask,
		.topic = c->of->ask->topics[c->topic],
		.client_ip = c->of->client_ip,
		.timeout_ms = a->config.timeout_ms,
	};

	leave_line(a, c);
	a->inflight++;
	c->begun = clock_seconds();
	c->http = auth_http_begin(a->http, &request, on_answer, c);
	if (!c->http) {
		struct auth_http_answer none = {.why = "out of memory"};
		on_answer(c, &none);
	}
}

static void on_start(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct auth *a = w->data;

	(void)loop, (void)revents;
	while (a->waiting > 0 && a->inflight < a->config.max_inflight)
		begin_call(a, a->line.next);
}

/* What can fly at once does not wait in the line. */
static bool has_room(const struct auth *a, size_t n)
{
	size_t room = a->config.max_inflight - a->inflight + a->config.max_waiting;
	return a->waiting <= room && n <= room - a->waiting;
}

struct auth_ask *auth_begin(struct auth *a, const struct ask *ask, const char *client_ip,
			    auth_done_fn done, void *arg)
{
	if (!has_room(a, ask->n_topics)) {
		errno = ENOBUFS;
		return NULL;
	}
	struct auth_ask *h = calloc(1, sizeof(*h) + ask->n_topics * sizeof(h->calls[0]));
	if (!h)
		return NULL;
	h->auth = a;
	h->verdicts = calloc(ask->n_topics, sizeof(*h->verdicts));
	h->client_ip = client_ip ? strdup(client_ip) : NULL;
	if (!h->verdicts || (client_ip && !h->client_ip)) {
		auth_cancel(h);
		errno = ENOMEM;
		return NULL;
	}
	h->ask = ask;
	h->done = done;
	h->arg = arg;
	h->n = ask->n_topics;
	for (size_t i = 0; i < h->n; i++) {
		h->calls[i].of = h;
		h->calls[i].topic = i;
		join_line(a, &h->calls[i]);
	}
	return h;
}

struct auth *auth_new(struct ev_loop *loop, const struct auth_config *config, struct stats *stats)
{
	struct auth *a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->loop = loop;
	a->config = *config;
	a->stats = stats;
	a->line.prev = a->line.next = &a->line;
	ev_prepare_init(&a->start, on_start);
	a->start.data = a;
	a->http = auth_http_new(loop, config->max_inflight);
	if (!a->http || auth_url_init(&a->url, config->url) != 0) {
		auth_free(a);
		return NULL;
	}
	ev_prepare_start(loop, &a->start);
	return a;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	ev_prepare_stop(a->loop, &a->start);
	auth_http_free(a->http);
	auth_url_done(&a->url);
	free(a);
}
