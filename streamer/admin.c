/* admin: turns what is asked about the workers into an answer. Takes no figures itself; owns those
 * who wait for them. */
#include "streamer/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "streamer/answer.h"
#include "streamer/ask.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/figures.h"
#include "streamer/metrics.h"
#include "streamer/pulse.h"
#include "streamer/reception.h"
#include "streamer/shared.h"

#define METRICS_BYTES ((size_t)4 * 1024 * 1024)
#define TICK_SECONDS  (1. / PULSE_TICKS)

struct inquiry {
	struct inquiry *next;
	struct client *client;
	struct ask *ask;
};

/* ---- readiness ---- */

/* Why new listeners should be sent elsewhere; NULL: they are welcome at each worker, since none can
 * choose its own. */
static const char *not_ready(const struct shared *s)
{
	static const char *const reasons[] = {
		[WORKER_ABSENT] = "a worker is starting",
		[WORKER_SILENT] = "a worker does not answer",
		[WORKER_DRAINING] = "draining",
		[WORKER_WITHOUT_REDIS] = "redis is not connected",
		[WORKER_FULL] = "full",
		[WORKER_READY] = NULL,
	};
	enum worker_state worst = WORKER_READY;

	for (unsigned i = 0; i < s->workers; i++)
		if (shared_state(s, i) < worst)
			worst = shared_state(s, i);
	return reasons[worst];
}

static struct frame *ready(const struct admin *a, const struct answer_to *to)
{
	char json[128];

	figures_say_state(a->figures);
	const char *reason = not_ready(a->figures->shared);
	if (!reason)
		return answer_json(to, 200, span_of("{\"status\":\"ready\"}"));
	snprintf(json, sizeof(json), "{\"status\":\"not ready\",\"reason\":\"%s\"}", reason);
	return answer_json(to, 503, span_of(json));
}

/* ---- figures ---- */

static int total_stats(const struct shared *s, struct stats_total *out)
{
	const struct stats *all[SHARED_WORKERS_MAX];

	for (unsigned i = 0; i < s->workers; i++)
		all[i] = &s->slots[i].stats;
	int err = stats_total(all, s->workers, out);
	for (unsigned i = 0; i < s->workers && !err; i++) {
		double late = shared_silence(s, i) - TICK_SECONDS;
		if (late > out->sum.loop_lag_seconds)
			out->sum.loop_lag_seconds = late;
	}
	return err;
}

static int total_topics(const struct shared *s, struct topic_totals *out)
{
	struct topic_report *reports = calloc(s->workers, sizeof(*reports));
	size_t n = 0;
	int err = -1;

	for (unsigned i = 0; reports && i < s->workers; i++)
		n += shared_report_copy(s, i, &reports[n]);
	if (reports)
		err = topic_report_total(reports, n, out);
	free(reports);
	return err;
}

static struct frame *say(const struct answer_to *to, const struct metrics_view *view, bool json)
{
	struct buf b;
	struct frame *f = NULL;

	buf_init(&b, METRICS_BYTES);
	int err = json ? metrics_json(view, &b) : metrics_prometheus(view, &b);
	struct span text = {b.data, b.len};
	if (!err)
		f = json ? answer_json(to, 200, text)
			 : answer_text(to, "text/plain; version=0.0.4; charset=utf-8", text);
	buf_done(&b);
	return f;
}

static struct frame *metrics(const struct admin *a, const struct answer_to *to, bool json)
{
	const struct shared *s = a->figures->shared;
	struct topic_totals *topics = malloc(sizeof(*topics));
	struct frame *f = NULL;
	struct stats_total stats;

	if (topics && total_stats(s, &stats) == 0 && total_topics(s, topics) == 0) {
		const struct metrics_view view = {
			.stats = &stats,
			.topics = topics,
			.uptime_seconds = clock_seconds() - s->started,
			.workers = s->workers,
			.restarts = __atomic_load_n(&s->restarts, __ATOMIC_RELAXED),
		};
		f = say(to, &view, json);
	}
	free(topics);
	return f;
}

/* ---- who asks ---- */

static void answer_now(const struct admin *a, struct client *c, struct ask *ask)
{
	struct answer_to to = reception_answer_to(a->reception, c, ask);
	struct frame *f;

	switch (ask->kind) {
	case ASK_READY: f = ready(a, &to); break;
	case ASK_LIVE: f = answer_json(&to, 200, span_of("{\"status\":\"alive\"}")); break;
	case ASK_METRICS: f = metrics(a, &to, true); break;
	case ASK_PROMETHEUS: f = metrics(a, &to, false); break;
	default: f = answer_json(&to, 200, span_of("{\"status\":\"healthy\"}"));
	}
	ask_free(ask);
	reception_finish(c, f);
}

static void put_in_line(struct admin *a, struct client *c, struct ask *ask)
{
	struct inquiry *q = malloc(sizeof(*q));

	if (!q) {
		ask_free(ask);
		client_close(c, CLIENT_NO_MEMORY);
		return;
	}
	*q = (struct inquiry){.next = a->waiting, .client = c, .ask = ask};
	a->waiting = q;
}

void admin_answer(struct admin *a, struct client *c, struct ask *ask)
{
	bool figures = ask->kind == ASK_METRICS || ask->kind == ASK_PROMETHEUS;

	if (!figures || census_ask(&a->census))
		answer_now(a, c, ask);
	else
		put_in_line(a, c, ask);
}

static void on_census(void *arg)
{
	struct admin *a = arg;

	while (a->waiting) {
		struct inquiry *q = a->waiting;
		a->waiting = q->next;
		answer_now(a, q->client, q->ask);
		free(q);
	}
}

static void forget(struct inquiry **at)
{
	struct inquiry *q = *at;

	*at = q->next;
	ask_free(q->ask);
	free(q);
}

void admin_forget(struct admin *a, const struct client *c)
{
	struct inquiry **at = &a->waiting;

	while (*at)
		if ((*at)->client == c)
			forget(at);
		else
			at = &(*at)->next;
}

/* ---- life ---- */

static void look(void *arg)
{
	struct admin *a = arg;
	figures_look(a->figures);
}

static const struct census_ops census_ops = {.look = look, .done = on_census};

void admin_init(struct admin *a, struct ev_loop *loop, const struct figures *figures,
		const struct reception *reception)
{
	*a = (struct admin){.figures = figures, .reception = reception};
	census_init(&a->census, loop, figures->shared, figures->worker, &census_ops, a);
}

void admin_done(struct admin *a)
{
	census_done(&a->census);
	while (a->waiting)
		forget(&a->waiting);
}
