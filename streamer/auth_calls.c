/* auth_calls: the table of distinct calls, their line and what becomes of them. Owns the calls; who
 * waits for one is the owner's (auth.c), the HTTP side auth_http.c's, what an answer means
 * auth_told.c's. */
#include "streamer/auth_calls.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/keyed_hash.h"
#include "common/log.h"
#include "streamer/ask.h"
#include "streamer/auth_batch.h"
#include "streamer/auth_breaker.h"
#include "streamer/auth_complaint.h"
#include "streamer/auth_http.h"
#include "streamer/auth_told.h"
#include "streamer/auth_url.h"
#include "streamer/clock.h"
#include "streamer/stats.h"

#define ANSWER_MAX_BYTES                                                                           \
	65536 /* a verdict is short; more is something else, like a log-in page                    \
	       */
#define QUESTION_MAX_BYTES ((size_t)1024 * 1024) /* 1024 topics of 200 bytes fit */

struct auth_call {
	struct auth_calls *all;
	struct auth_key key;
	UT_hash_handle hh;
	bool in_line, over;            /* over: its waiters are being told */
	bool disowned;                 /* it is not in the table any more */
	struct auth_call *prev, *next; /* in the line */
	struct auth_http_call *http;   /* under way */
	double begun;
	struct auth_waiter *first, *last;
};

struct auth_calls {
	struct auth_config config;
	struct auth_url url;
	struct auth_http *http;
	struct auth_memory *memory;
	struct stats *stats;
	auth_told_fn told;
	void *arg;
	struct auth_call *table;
	uint64_t seed;
	struct auth_call line; /* a ring through its head */
	size_t inflight, waiting;
	struct auth_complaint complaint;
	struct auth_breaker breaker;
};

size_t auth_calls_inflight(const struct auth_calls *a)
{
	return a->inflight;
}

size_t auth_calls_waiting(const struct auth_calls *a)
{
	return a->waiting;
}

bool auth_calls_broken(const struct auth_calls *a)
{
	return a->breaker.open;
}

/* ---- the line ---- */

static void leave_line(struct auth_call *c)
{
	if (!c->in_line)
		return;
	c->prev->next = c->next;
	c->next->prev = c->prev;
	c->in_line = false;
	c->all->waiting--;
}

static void join_line(struct auth_call *c)
{
	struct auth_call *line = &c->all->line;

	c->prev = line->prev;
	c->next = line;
	c->prev->next = c;
	line->prev = c;
	c->in_line = true;
	c->all->waiting++;
}

/* ---- waiters ---- */

static void add_waiter(struct auth_call *c, struct auth_waiter *w)
{
	w->call = c;
	w->next = NULL;
	w->prev = c->last;
	if (w->prev)
		w->prev->next = w;
	else
		c->first = w;
	c->last = w;
}

static void remove_waiter(struct auth_waiter *w)
{
	struct auth_call *c = w->call;

	if (w->prev)
		w->prev->next = w->next;
	else
		c->first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		c->last = w->prev;
	w->call = NULL;
}

static void leave_table(struct auth_call *c)
{
	if (!c->disowned)
		HASH_DEL(c->all->table, c);
	c->disowned = true;
}

static void give_up(struct auth_call *c)
{
	leave_line(c);
	if (c->http) {
		auth_http_cancel(c->http);
		c->all->inflight--;
	}
	leave_table(c);
	free(c);
}

void auth_calls_leave(struct auth_calls *a, struct auth_waiter *w)
{
	struct auth_call *c = w->call;

	(void)a;
	if (!c)
		return;
	remove_waiter(w);
	if (!c->first && !c->over)
		give_up(c);
}

/* Whoever is told may make others leave. */
static void tell(struct auth_call *c, const struct auth_told *told)
{
	struct auth_calls *a = c->all;
	struct auth_waiter *w;

	leave_table(c);
	c->over = true;
	while ((w = c->first)) {
		remove_waiter(w);
		a->told(a->arg, w, told);
	}
	free(c);
}

/* ---- answers ---- */

/* What the calls are about; all waiters of one asked the same. */
static struct auth_batch question_of(const struct auth_call *c)
{
	const struct auth_waiter *w = c->first;
	return (struct auth_batch){w->asker->ask->topics, w->which, w->n};
}

static void keep(const struct auth_call *c, const struct auth_http_answer *answer,
		 const struct auth_told *told)
{
	struct auth_waiter *w = c->first;
	struct auth_memory *memory = c->all->memory;
	double until = auth_memory_learn(memory, w->asker, &answer->caching, c->begun);

	for (size_t i = 0; i < w->n && until > 0; i++)
		auth_memory_keep(memory, w->asker, w->which[i], auth_told_of(told, i), until);
}

/* ---- an auth URL that fails ---- */

/* While it stood in line, another one like it may have been answered. */
static bool is_known(const struct auth_call *c, double now)
{
	const struct auth_waiter *w = c->first;
	struct auth_verdict verdict;

	for (size_t i = 0; i < w->n; i++)
		if (!auth_memory_find(c->all->memory, w->asker, w->which[i], now, &verdict))
			return false;
	return true;
}

/* Nobody waits in line for what is not asked any more. */
static void empty_line(struct auth_calls *a)
{
	static const struct auth_told busy = {.verdict = {.outcome = AUTH_BUSY}};
	double now = clock_seconds();

	while (a->waiting > 0) {
		struct auth_call *c = a->line.next;
		leave_line(c);
		tell(c, is_known(c, now) ? NULL : &busy);
	}
}

/* Returns whether the backend is to be left alone from now on. */
static bool note_health(struct auth_calls *a, bool failed)
{
	switch (auth_breaker_note(&a->breaker, failed, clock_seconds())) {
	case AUTH_BREAKER_OPENED:
		log_warn("auth_url failed %d times in a row: listeners are told to come back "
			 "later, and one call a second is tried",
			 AUTH_BREAKER_FAILURES);
		return true;
	case AUTH_BREAKER_CLOSED: log_info("auth_url answers again"); break;
	case AUTH_BREAKER_AS_BEFORE: break;
	}
	return false;
}

static void on_answer(void *arg, const struct auth_http_answer *answer)
{
	struct auth_call *c = arg;
	struct auth_calls *a = c->all;
	struct auth_batch question = question_of(c);
	struct auth_told told;
	bool opened = false;
	double now = clock_seconds();

	c->http = NULL;
	a->inflight--;
	auth_told_read(&told, &question, a->config.batch, answer, now, &a->complaint);
	stats_auth(a->stats, auth_told_whole(&told, question.n), now - c->begun);
	if (!answer->cut && !c->disowned)
		keep(c, answer, &told);
	if (answer->status != 0 || answer->failed) /* else it was not even asked */
		opened = note_health(a, told.failed);
	tell(c, &told);
	auth_told_done(&told);
	if (opened)
		empty_line(a);
}

/* ---- calls ---- */

/* Returns NULL when out of memory. */
static struct auth_http_call *send(struct auth_call *c)
{
	struct auth_calls *a = c->all;
	struct auth_batch question = question_of(c);
	struct auth_http_request request = {
		.url = &a->url,
		.ask = c->first->asker->ask,
		.client_ip = c->first->asker->client_ip,
		.timeout_ms = a->config.timeout_ms,
		.max_answer = ANSWER_MAX_BYTES,
	};
	struct auth_http_call *http = NULL;
	struct buf body;

	if (!a->config.batch) {
		request.topic = question.topics[question.which[0]];
		return auth_http_begin(a->http, &request, on_answer, c);
	}
	buf_init(&body, QUESTION_MAX_BYTES);
	if (auth_batch_format(&question, &body) == 0) {
		request.body = (struct span){body.data, body.len};
		request.max_answer = auth_batch_answer_bytes(&question);
		http = auth_http_begin(a->http, &request, on_answer, c);
	}
	buf_done(&body);
	return http;
}

static void begin_call(struct auth_call *c)
{
	leave_line(c);
	c->begun = clock_seconds();
	if (is_known(c, c->begun)) {
		tell(c, NULL);
		return;
	}
	c->all->inflight++;
	c->http = send(c);
	if (!c->http) {
		struct auth_http_answer none = {.why = "out of memory"};
		on_answer(c, &none);
	}
}

void auth_calls_turn(struct auth_calls *a)
{
	while (a->waiting > 0 && a->inflight < a->config.max_inflight)
		begin_call(a->line.next);
}

/* What can fly at once does not wait in the line. */
static bool has_room(const struct auth_calls *a)
{
	return a->waiting < a->config.max_inflight - a->inflight + a->config.max_waiting;
}

static int add_call(struct auth_calls *a, const struct auth_key *key, unsigned hash,
		    struct auth_call **out)
{
	if (!has_room(a))
		return -ENOBUFS;
	if (!auth_breaker_lets(&a->breaker, clock_seconds()))
		return -EAGAIN;
	struct auth_call *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->all = a;
	c->key = *key;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, a->table, c->key.bytes, AUTH_KEY_BYTES, hash, c);
	if (!c->hh.tbl) {
		free(c);
		return -ENOMEM;
	}
	join_line(c);
	*out = c;
	return 0;
}

int auth_calls_join(struct auth_calls *a, struct auth_waiter *w)
{
	struct auth_key key;
	struct auth_call *c;
	int err = auth_memory_know(a->memory, w->asker);

	err = err ? err
		  : auth_key_for(&w->asker->who.call, w->asker->ask->topics, w->which, w->n, &key);
	if (err)
		return err;
	unsigned hash = keyed_hash(a->seed, key.bytes, AUTH_KEY_BYTES);
	HASH_FIND_BYHASHVALUE(hh, a->table, key.bytes, AUTH_KEY_BYTES, hash, c);
	if (c)
		a->stats->auth_joined++;
	else
		err = add_call(a, &key, hash, &c);
	if (!err)
		add_waiter(c, w);
	return err;
}

/* Those that wait in the line have not asked yet: they know what will be true then. */
void auth_calls_disown(struct auth_calls *a)
{
	struct auth_call *c, *next;

	HASH_ITER(hh, a->table, c, next) {
		if (!c->in_line)
			leave_table(c);
	}
}

/* ---- life ---- */

struct auth_calls *auth_calls_new(struct ev_loop *loop, const struct auth_config *config,
				  struct auth_memory *memory, struct stats *stats,
				  auth_told_fn told, void *arg)
{
	struct auth_calls *a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->config = *config;
	a->memory = memory;
	a->stats = stats;
	a->told = told;
	a->arg = arg;
	a->seed = keyed_hash_seed();
	a->line.prev = a->line.next = &a->line;
	a->http = auth_http_new(loop, config->max_inflight);
	if (!a->http || auth_url_init(&a->url, config->url) != 0) {
		auth_calls_free(a);
		return NULL;
	}
	return a;
}

void auth_calls_free(struct auth_calls *a)
{
	if (!a)
		return;
	auth_http_free(a->http);
	auth_url_done(&a->url);
	free(a);
}
