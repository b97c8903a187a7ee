/* sentinel: a connection to each sentinel of the URL, tried again when it breaks, and its latest
 * answer. Owns both. Whether who is named is a master is seen where it is connected to (ROLE): a
 * sentinel may lie, or be cut off from the others. */
#include "streamer/sentinel.h"

#include <ev.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/log.h"
#include "common/redis_address.h"
#include "common/redis_login.h"
#include "common/sentinel_reply.h"
#include "streamer/clock.h"
#include "streamer/redis_conn.h"

#define ASK_SECONDS     0.5
#define FRESH_SECONDS   3.
#define MAX_REPLY_BYTES ((size_t)64 * 1024)
#define TOLD_BYTES      128

struct watcher {
	struct sentinel *all;
	struct redis_conn *conn; /* NULL: none now */
	struct redis_server at;
	bool up, asked;
	bool with_password; /* it wants one: the URL's is tried */
	bool complained;
	char told[TOLD_BYTES]; /* the beginning of what was said then */
	double asked_at;
	/* the latest answer: */
	struct redis_address said;
	double heard_at; /* 0: never */
};

struct sentinel {
	struct ev_loop *loop;
	const struct redis_login *login;
	/* The same without what is for Redis alone, and with user and password; both borrow. */
	struct redis_login bare, signing;
	unsigned timeout_ms;
	void (*news)(void *arg);
	void *arg;
	ev_timer timer;
	size_t n;
	struct watcher watchers[REDIS_URL_MAX_HOSTS];
};

/* ---- what they say ---- */

static bool is_fresh(const struct watcher *w)
{
	return w->heard_at > 0 && clock_seconds() - w->heard_at < FRESH_SECONDS;
}

static unsigned votes(const struct sentinel *s, const struct watcher *w)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += is_fresh(&s->watchers[i]) &&
		     redis_address_equal(&s->watchers[i].said, &w->said);
	return n;
}

static bool said_before(const struct sentinel *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_fresh(&s->watchers[k]) &&
		    redis_address_equal(&s->watchers[k].said, &s->watchers[i].said))
			return true;
	return false;
}

/* Those who named a master first, the most often named ones before the others. */
static size_t candidates(const struct sentinel *s, const struct watcher *out[REDIS_URL_MAX_HOSTS])
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct watcher *w = &s->watchers[i];
		size_t at = n;

		if (!is_fresh(w) || said_before(s, i))
			continue;
		for (; at > 0 && votes(s, out[at - 1]) < votes(s, w); at--)
			out[at] = out[at - 1];
		out[at] = w;
		n++;
	}
	return n;
}

bool sentinel_where(const struct sentinel *s, unsigned attempt, struct redis_server *server)
{
	const struct watcher *found[REDIS_URL_MAX_HOSTS];
	size_t n = candidates(s, found);

	if (n == 0)
		return false;
	const struct watcher *w = found[attempt % n];
	*server = (struct redis_server){.host = w->said.host, .port = w->said.port};
	return true;
}

bool sentinel_contradicts(const struct sentinel *s, const char *name)
{
	const struct watcher *found[REDIS_URL_MAX_HOSTS];
	char said[REDIS_ADDRESS_BYTES];

	if (candidates(s, found) == 0 || votes(s, found[0]) * 2 <= s->n)
		return false;
	return strcmp(redis_address_format(&found[0]->said, said), name) != 0;
}

/* ---- a connection ---- */

static void drop(struct watcher *w)
{
	redis_conn_free(w->conn);
	w->conn = NULL;
	w->up = w->asked = false;
}

/* One line when the trouble begins, and one when it turns out to be another. */
static void complain(struct watcher *w, const char *why)
{
	char quoted[256];

	if (w->complained && strncmp(w->told, why, sizeof(w->told) - 1) == 0)
		return;
	w->complained = true;
	w->told[0] = '\0';
	strncat(w->told, why, sizeof(w->told) - 1);
	log_warn("sentinel %s:%u names no master: %s", w->at.host, w->at.port,
		 log_quote(why, strlen(why), quoted, sizeof(quoted)));
}

/* Most sentinels want no password, and one that does says so: no trouble yet. */
static void on_down(void *arg, const char *why)
{
	struct watcher *w = arg;
	const struct redis_login *login = w->all->login;

	if (strstr(why, "NOAUTH") && !w->with_password &&
	    (login->url.password || login->password_file))
		w->with_password = true;
	else
		complain(w, why);
	drop(w);
}

static void on_up(void *arg)
{
	struct watcher *w = arg;
	w->up = true;
}

static void on_no_master(struct watcher *w, const struct redisReply *r)
{
	char why[256];

	if (r->type == REDIS_REPLY_ERROR)
		snprintf(why, sizeof(why), "%.200s", r->str);
	else
		snprintf(why, sizeof(why), "it knows no master of the name %.200s",
			 w->all->login->url.master);
	complain(w, why);
}

static void on_reply(void *arg, struct redisReply *r)
{
	struct watcher *w = arg;

	if (!w->asked) {
		on_down(w, "an answer that nobody asked for");
		return;
	}
	w->asked = false;
	if (sentinel_reply_read(r, &w->said) != 0) {
		on_no_master(w, r);
		return;
	}
	if (w->complained)
		log_info("sentinel %s:%u names the master again", w->at.host, w->at.port);
	w->complained = false;
	w->heard_at = clock_seconds();
	w->all->news(w->all->arg);
}

static const struct redis_conn_ops ops = {.up = on_up, .reply = on_reply, .down = on_down};

static void connect_to(struct watcher *w)
{
	struct sentinel *s = w->all;

	w->conn = redis_conn_new(s->loop, w->with_password ? &s->signing : &s->bare, &w->at,
				 s->timeout_ms, MAX_REPLY_BYTES, &ops, w);
}

static void ask(struct watcher *w)
{
	const char *master = w->all->login->url.master;
	const char *argv[] = {"SENTINEL", "get-master-addr-by-name", master};
	const size_t lens[] = {8, 23, strlen(master)};

	w->asked = true;
	w->asked_at = clock_seconds();
	if (redis_conn_send(w->conn, 3, argv, lens) != 0)
		drop(w);
}

static void look_after(struct watcher *w)
{
	if (!w->conn)
		connect_to(w);
	else if (w->up && !w->asked)
		ask(w);
	else if (w->asked && clock_seconds() - w->asked_at > w->all->timeout_ms / 1000.)
		on_down(w, "no answer in time");
}

static void on_timer(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct sentinel *s = t->data;

	(void)loop, (void)revents;
	for (size_t i = 0; i < s->n; i++)
		look_after(&s->watchers[i]);
}

/* ---- life ---- */

struct sentinel *sentinel_new(struct ev_loop *loop, const struct redis_login *login,
			      unsigned timeout_ms, void (*news)(void *arg), void *arg)
{
	const struct redis_url *url = &login->url;
	struct sentinel *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = loop;
	s->login = login;
	s->bare = (struct redis_login){.tls = login->tls};
	s->bare.url = (struct redis_url){.kind = url->kind, .tls = url->tls};
	s->signing = s->bare;
	s->signing.url.user = url->user;
	s->signing.url.password = url->password;
	s->signing.password_file = login->password_file;
	s->timeout_ms = timeout_ms;
	s->news = news;
	s->arg = arg;
	s->n = url->n_hosts;
	for (size_t i = 0; i < s->n; i++) {
		s->watchers[i].all = s;
		s->watchers[i].at = redis_url_server(url, i);
		connect_to(&s->watchers[i]);
	}
	ev_timer_init(&s->timer, on_timer, ASK_SECONDS / 5, ASK_SECONDS);
	s->timer.data = s;
	ev_timer_start(loop, &s->timer);
	return s;
}

void sentinel_free(struct sentinel *s)
{
	if (!s)
		return;
	ev_timer_stop(s->loop, &s->timer);
	for (size_t i = 0; i < s->n; i++)
		redis_conn_free(s->watchers[i].conn);
	free(s);
}
