/* redis_half: owns one redis_conn after the other, the pause between them, and the clock of the
 * open questions. What is asked and what an answer means is redis_link.c's. */
#include "streamer/redis_half.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include "common/log.h"
#include "common/redis_url.h"
#include "common/sentinel_reply.h"
#include "streamer/clock.h"
#include "streamer/jitter.h"
#include "streamer/redis_conn.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS  5000
#define WHY_BYTES        256
/* Checks in a row: after a stop of our own, data may wait that the loop has not read yet. */
#define STRIKES 2
/* Time limits that a question may stay open while bytes, but no whole reply, come. */
#define PATIENCE 10

static void name_server(struct redis_half *h, const struct redis_server *server)
{
	if (server->path)
		snprintf(h->at, sizeof(h->at), "%s", server->path);
	else
		snprintf(h->at, sizeof(h->at), "%s:%u", server->host, server->port);
	h->server[0] = '\0';
	if (h->config.greeting == REDIS_GREET_ROLE)
		memcpy(h->server, h->at, sizeof(h->server));
}

void redis_half_connect(struct redis_half *h)
{
	struct redis_server server;

	if (h->config.where(h->config.where_arg, h->attempt, &server)) {
		name_server(h, &server);
		h->conn = redis_conn_new(h->loop, h->config.login, &server, h->config.timeout_ms,
					 h->config.max_bytes, h->ops, h->arg);
	}
	if (!h->conn)
		ev_timer_again(h->loop, &h->pause);
}

void redis_half_hurry(struct redis_half *h)
{
	h->backoff_ms = BACKOFF_FIRST_MS;
	h->attempt = 0;
	if (h->conn)
		return;
	ev_timer_stop(h->loop, &h->pause);
	redis_half_connect(h);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	ev_timer_stop(loop, w);
	redis_half_connect(w->data);
}

static void pause_then_connect(struct redis_half *h)
{
	uint64_t ms = jitter_between(h->backoff_ms / 2, h->backoff_ms);

	h->backoff_ms = h->backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : h->backoff_ms * 2;
	h->pause.repeat = (double)ms / 1000.;
	ev_timer_again(h->loop, &h->pause);
}

void redis_half_replied(struct redis_half *h)
{
	h->replied_at = clock_seconds();
	h->asked_at = 0;
	h->strikes = 0;
}

static bool greet(struct redis_half *h)
{
	static const char *const role[] = {"ROLE"}, *const id[] = {"CLUSTER", "MYID"};
	static const size_t role_lens[] = {4}, id_lens[] = {7, 4};
	bool asks_id = h->config.greeting == REDIS_GREET_ID;

	return redis_half_send(h, asks_id ? 2 : 1, (const char **)(asks_id ? id : role),
			       asks_id ? id_lens : role_lens) == 0;
}

bool redis_half_up(struct redis_half *h)
{
	redis_half_replied(h);
	h->greeting_open = h->config.greeting != REDIS_GREET_NOT && greet(h);
	h->up = h->config.greeting == REDIS_GREET_NOT;
	return h->up;
}

const char *redis_half_greeted(struct redis_half *h, const struct redisReply *r)
{
	h->greeting_open = false;
	if (r->type == REDIS_REPLY_ERROR)
		return r->str;
	if (h->config.greeting == REDIS_GREET_ROLE && !sentinel_reply_is_master(r))
		return "it is no master";
	if (h->config.greeting == REDIS_GREET_ID) {
		if (r->type != REDIS_REPLY_STRING || r->len == 0 ||
		    (size_t)r->len >= sizeof(h->server))
			return "it is no node of a Cluster";
		memcpy(h->server, r->str, (size_t)r->len + 1);
	}
	h->up = true;
	h->attempt = 0;
	return NULL;
}

void redis_half_proven(struct redis_half *h)
{
	h->proven = true;
	h->backoff_ms = BACKOFF_FIRST_MS;
	if (h->complained)
		log_info("redis %s connection is back: %s", h->name, h->at);
	h->complained = false;
}

/* One line when the trouble begins, and one when it turns out to be another; else silence until it
 * is over. */
static void complain(struct redis_half *h, const char *why)
{
	char quoted[WHY_BYTES];

	if (h->complained && strncmp(h->told, why, sizeof(h->told) - 1) == 0)
		return;
	h->complained = true;
	h->told[0] = '\0';
	strncat(h->told, why, sizeof(h->told) - 1);
	log_warn("redis %s connection is down: %s: %s", h->name, h->at,
		 log_quote(why, strlen(why), quoted, sizeof(quoted)));
}

void redis_half_down(struct redis_half *h, const char *why)
{
	complain(h, why);
	h->attempt++;
	h->up = h->proven = h->ping_open = h->greeting_open = false;
	h->asked_at = 0;
	redis_conn_free(h->conn);
	h->conn = NULL;
	pause_then_connect(h);
}

int redis_half_send(struct redis_half *h, int argc, const char **argv, const size_t *lens)
{
	int err = redis_conn_send(h->conn, argc, argv, lens);
	if (!err && h->asked_at == 0)
		h->asked_at = clock_seconds();
	return err;
}

int redis_half_write(struct redis_half *h, struct span command)
{
	int err = redis_conn_write(h->conn, command);
	if (!err && h->asked_at == 0)
		h->asked_at = clock_seconds();
	return err;
}

bool redis_half_answers_ping(struct redis_half *h)
{
	bool open = h->ping_open;
	h->ping_open = false;
	return open;
}

static bool silent(struct redis_half *h, double limit)
{
	double open = h->asked_at == 0 ? 0 : clock_seconds() - h->asked_at;

	if (open <= limit || (redis_conn_silence(h->conn) <= limit && open <= limit * PATIENCE)) {
		h->strikes = 0;
		return false;
	}
	return ++h->strikes >= STRIKES;
}

static void ping_when_quiet(struct redis_half *h, double limit)
{
	const char *argv[] = {"PING"};
	const size_t lens[] = {4};

	if (h->asked_at != 0 || clock_seconds() - h->replied_at < limit)
		return;
	if (h->ping_open) /* something else was said since: the answer is still due */
		h->asked_at = clock_seconds();
	else
		h->ping_open = redis_half_send(h, 1, argv, lens) == 0;
}

bool redis_half_watch(struct redis_half *h)
{
	double limit = h->config.timeout_ms / 1000.;

	if (silent(h, limit))
		return false;
	ping_when_quiet(h, limit);
	return true;
}

void redis_half_init(struct redis_half *h, struct ev_loop *loop,
		     const struct redis_half_config *config, const char *name,
		     const struct redis_conn_ops *ops, void *arg)
{
	memset(h, 0, sizeof(*h));
	h->loop = loop;
	h->config = *config;
	h->name = name;
	h->ops = ops;
	h->arg = arg;
	h->backoff_ms = BACKOFF_FIRST_MS;
	ev_timer_init(&h->pause, on_pause_over, 0., BACKOFF_FIRST_MS / 1000.);
	h->pause.data = h;
}

void redis_half_done(struct redis_half *h)
{
	ev_timer_stop(h->loop, &h->pause);
	redis_conn_free(h->conn);
}
