/* auth: from a listener's topics to one verdict. Owns the handles of listeners, and the memory of
 * verdicts; the calls are auth_calls.c's, what to do with a verdict entrance.c's. */
#include "streamer/auth.h"

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "streamer/ask.h"
#include "streamer/auth_calls.h"
#include "streamer/auth_forgotten.h"
#include "streamer/auth_memory.h"
#include "streamer/clock.h"
#include "streamer/stats.h"

#define KEPT_VERDICTS 32768 /* the most that are remembered, 200 bytes each without words */

struct auth_ask {
	struct auth *auth;
	struct auth_ask *prev, *next; /* among those that are ready */
	bool ready;
	bool each;
	uint64_t forgotten; /* as many were when it began (auth_forgotten.h) */
	struct auth_asker asker;
	char *client_ip;
	auth_done_fn done;
	void *arg;
	char *user;   /* NULL: nobody by name */
	double until; /* the earliest of its verdicts' */
	size_t n;
	const struct auth_verdict **verdicts; /* in request order; NULL: none yet */
	struct auth_verdict **words;          /* those of them that have some; owned */
	uint16_t *which;                      /* topics that were not known */
	struct auth_waiter waiters[];         /* for the calls about them */
};

struct auth {
	struct ev_loop *loop;
	struct auth_calls *calls;
	struct auth_memory memory;
	bool batch;
	struct stats *stats;
	struct auth_ask *first_ready; /* their verdict is there, and is told in this turn */
	struct auth_forgotten forgotten;
	ev_prepare turn; /* auth_begin never calls back */
};

size_t auth_inflight(const struct auth *a)
{
	return auth_calls_inflight(a->calls);
}

size_t auth_waiting(const struct auth *a)
{
	return auth_calls_waiting(a->calls);
}

bool auth_is_broken(const struct auth *a)
{
	return auth_calls_broken(a->calls);
}

/* ---- those that are ready ---- */

static void note_ready(struct auth_ask *h)
{
	struct auth *a = h->auth;

	h->ready = true;
	h->next = a->first_ready;
	if (h->next)
		h->next->prev = h;
	a->first_ready = h;
}

static void forget_ready(struct auth_ask *h)
{
	if (!h->ready)
		return;
	if (h->prev)
		h->prev->next = h->next;
	else
		h->auth->first_ready = h->next;
	if (h->next)
		h->next->prev = h->prev;
	h->prev = h->next = NULL;
	h->ready = false;
}

/* ---- verdicts ---- */

/* The first topic says whose stream it is. Returns false when there is no memory for that. */
static bool take_grant(struct auth_ask *h, size_t topic, const struct auth_verdict *verdict)
{
	if (verdict->until > 0 && (h->until <= 0 || verdict->until < h->until))
		h->until = verdict->until;
	if (topic > 0 || !verdict->user[0])
		return true;
	free(h->user);
	h->user = strdup(verdict->user);
	return h->user != NULL;
}

/* What finds no memory for what it says becomes busy: never an admission. */
static void set_verdict(struct auth_ask *h, size_t topic, const struct auth_verdict *verdict)
{
	h->verdicts[topic] = auth_reply_plain(AUTH_BUSY);
	if (!take_grant(h, topic, verdict))
		return;
	if (verdict->outcome == AUTH_ALLOW) {
		h->verdicts[topic] = auth_reply_plain(AUTH_ALLOW);
		return;
	}
	h->words[topic] = malloc(sizeof(*verdict));
	if (!h->words[topic])
		return;
	*h->words[topic] = *verdict;
	h->verdicts[topic] = h->words[topic];
}

static bool remember(struct auth_ask *h, uint16_t topic)
{
	struct auth_verdict verdict;

	if (!auth_memory_find(&h->auth->memory, &h->asker, topic, clock_seconds(), &verdict))
		return false;
	h->auth->stats->auth_reused++;
	set_verdict(h, topic, &verdict);
	return true;
}

/* ---- what is to be forgotten ---- */

/* Its verdicts may be from before something that they should know of. */
static bool is_outdated(const struct auth_ask *h)
{
	return auth_forgotten_names(&h->auth->forgotten, h->forgotten, span_of(h->user),
				    h->asker.ask->topics, h->n);
}

void auth_forget(struct auth *a, const struct control_selector *who)
{
	auth_memory_forget(&a->memory, who);
	auth_calls_disown(a->calls);
	auth_forgotten_add(&a->forgotten, who);
}

/* ---- the decision ---- */

static enum auth_outcome decide(const struct auth_ask *h, size_t *deciding)
{
	for (size_t i = 0; i < h->n && h->each; i++)
		if (!h->verdicts[i])
			return AUTH_PENDING;
	return auth_reply_decide(h->verdicts, h->n, deciding);
}

static bool is_decided(const struct auth_ask *h)
{
	size_t deciding;
	return decide(h, &deciding) != AUTH_PENDING;
}

/* It waits for nothing more. */
static void let_go(struct auth_ask *h)
{
	forget_ready(h);
	for (size_t i = 0; i < h->n; i++)
		auth_calls_leave(h->auth->calls, &h->waiters[i]);
}

static void handle_free(struct auth_ask *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->words[i]);
	free(h->verdicts);
	free(h->words);
	free(h->which);
	free(h->client_ip);
	free(h->user);
	free(h);
}

static void tell(struct auth_ask *h, enum auth_outcome outcome, size_t deciding)
{
	struct auth_decision decision = {
		.outcome = outcome,
		.deciding = deciding,
		.verdict = h->verdicts[deciding],
		.verdicts = h->verdicts,
		.user = h->user ? h->user : "",
		.until = h->until,
	};

	let_go(h);
	h->done(h->arg, &decision);
	handle_free(h);
}

static int begin(struct auth_ask *h);

/* All of it once more. */
static void ask_again(struct auth_ask *h)
{
	let_go(h);
	for (size_t i = 0; i < h->n; i++) {
		free(h->words[i]);
		h->words[i] = NULL;
		h->verdicts[i] = NULL;
	}
	free(h->user);
	h->user = NULL;
	h->until = 0;
	if (begin(h) == 0)
		return;
	h->verdicts[0] = auth_reply_plain(AUTH_BUSY);
	tell(h, AUTH_BUSY, 0);
}

/* Tells the verdict when there is one; the handle is gone then. */
static void settle(struct auth_ask *h)
{
	size_t deciding = 0;
	enum auth_outcome outcome = decide(h, &deciding);

	if (outcome == AUTH_PENDING)
		return;
	if (outcome == AUTH_BUSY || !is_outdated(h))
		tell(h, outcome, deciding);
	else
		ask_again(h);
}

static void on_told(void *arg, struct auth_waiter *w, const struct auth_told *told)
{
	struct auth_ask *h = w->owner;

	(void)arg;
	for (size_t i = 0; i < w->n; i++) {
		if (told)
			set_verdict(h, w->which[i], auth_told_of(told, i));
		else if (!remember(h, w->which[i]))
			h->verdicts[w->which[i]] = auth_reply_plain(AUTH_BUSY);
	}
	settle(h);
}

static void on_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct auth *a = w->data;
	struct auth_ask *h;

	(void)loop, (void)revents;
	while ((h = a->first_ready)) {
		forget_ready(h);
		settle(h);
	}
	auth_calls_turn(a->calls);
	auth_memory_expire(&a->memory, clock_seconds());
}

/* ---- a listener ---- */

void auth_cancel(struct auth_ask *h)
{
	if (!h)
		return;
	let_go(h);
	handle_free(h);
}

static struct auth_ask *ask_new(struct auth *a, const struct ask *ask, const char *client_ip)
{
	size_t n = ask->n_topics;
	struct auth_ask *h = calloc(1, sizeof(*h) + n * sizeof(h->waiters[0]));

	if (!h)
		return NULL;
	h->auth = a;
	h->verdicts = calloc(n, sizeof(*h->verdicts));
	h->words = calloc(n, sizeof(*h->words));
	h->which = calloc(n, sizeof(*h->which));
	h->client_ip = client_ip ? strdup(client_ip) : NULL;
	if (!h->verdicts || !h->words || !h->which || (client_ip && !h->client_ip)) {
		auth_cancel(h);
		errno = ENOMEM;
		return NULL;
	}
	h->n = n;
	h->asker = (struct auth_asker){.ask = ask, .client_ip = h->client_ip};
	return h;
}

/* Waits for n topics of which. */
static int wait_for(struct auth_ask *h, size_t number, const uint16_t *which, size_t n)
{
	struct auth_waiter *w = &h->waiters[number];

	*w = (struct auth_waiter){.owner = h, .asker = &h->asker, .which = which, .n = n};
	int err = auth_calls_join(h->auth->calls, w);
	if (err != -EAGAIN)
		return err;
	for (size_t i = 0; i < n; i++)
		h->verdicts[which[i]] = auth_reply_plain(AUTH_BUSY);
	return 0;
}

static int wait_for_all(struct auth_ask *h, size_t open)
{
	int err = 0;

	if (h->auth->batch)
		return wait_for(h, 0, h->which, open);
	for (size_t i = 0; i < open && !err; i++)
		err = wait_for(h, i, &h->which[i], 1);
	return err;
}

/* Asks for what is not known already. */
static int begin(struct auth_ask *h)
{
	size_t open = 0;
	int err = 0;

	h->forgotten = h->auth->forgotten.n;
	for (uint16_t i = 0; i < h->n; i++)
		if (!remember(h, i))
			h->which[open++] = i;
	if (!is_decided(h))
		err = wait_for_all(h, open);
	if (!err && is_decided(h))
		note_ready(h);
	return err;
}

struct auth_ask *auth_begin(struct auth *a, const struct ask *ask, const char *client_ip, bool each,
			    auth_done_fn done, void *arg)
{
	struct auth_ask *h = ask_new(a, ask, client_ip);

	if (!h)
		return NULL;
	h->each = each;
	h->done = done;
	h->arg = arg;
	int err = begin(h);
	if (err) {
		auth_cancel(h);
		errno = -err;
		return NULL;
	}
	return h;
}

/* ---- life ---- */

struct auth *auth_new(struct ev_loop *loop, const struct auth_config *config, struct stats *stats)
{
	struct auth *a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->loop = loop;
	a->stats = stats;
	a->batch = config->batch;
	ev_prepare_init(&a->turn, on_turn);
	a->turn.data = a;
	if (auth_memory_init(&a->memory, KEPT_VERDICTS) == 0)
		a->calls = auth_calls_new(loop, config, &a->memory, stats, on_told, a);
	if (!a->calls) {
		auth_free(a);
		return NULL;
	}
	ev_prepare_start(loop, &a->turn);
	return a;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	ev_prepare_stop(a->loop, &a->turn);
	auth_calls_free(a->calls);
	auth_memory_done(&a->memory);
	auth_forgotten_done(&a->forgotten);
	free(a);
}
