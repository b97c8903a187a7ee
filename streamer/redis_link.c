/* redis_link: keeps a subscriber and an asker connected. Each half is a redis_conn with its own
 * pauses between attempts; a half that falls silent under a question is given up. What is
 * subscribed is the hub's to know: after each loss the owner subscribes anew, and counts what Redis
 * answered by the sequence numbers given out here. */
#include "streamer/redis_link.h"

#include <ev.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/log.h"
#include "common/redis_url.h"
#include "common/topic.h"
#include "streamer/clock.h"
#include "streamer/jitter.h"
#include "streamer/position_lua.h"
#include "streamer/redis_conn.h"
#include "streamer/redis_info.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS  5000
#define STRIKES                                                                                    \
	2 /* checks in a row: after a stop of our own, data may wait that the loop has not read    \
	     yet */
#define PATIENCE                                                                                   \
	10 /* time limits that one question may stay open while bytes, but no whole reply, come    \
	    */
#define WHY_BYTES 256

struct half {
	struct redis_link *link;
	const char *name; /* for the log */
	const struct redis_conn_ops *ops;
	struct redis_conn *conn;
	ev_timer pause;
	uint64_t backoff_ms;
	bool up, complained;
	bool proven; /* it gave a right answer since it is up; before that it may fail at once again
		      */
	bool ping_open;
	unsigned strikes;
	double replied_at; /* when the last whole reply came */
	double asked_at;   /* when the oldest unanswered question went out; 0: none is open */
};

struct redis_link {
	struct ev_loop *loop;
	struct redis_link_config config;
	const struct redis_link_ops *ops;
	void *arg;
	struct half subscriber, asker;
	ev_timer watchdog;
	uint64_t asked, answered; /* SUBSCRIBEs of this connection's life and before */
	bool info_open;           /* the first question of a new asker is out */
	bool position_open,
		position_in_full; /* in_full: sent with EVAL, since the script was not known */
	bool ever_up;
	char state_key[TOPIC_KEY_MAX_BYTES];
	char why[WHY_BYTES];
	uint64_t reconnects, errors;
};

static void half_connect(struct half *h)
{
	struct redis_link *l = h->link;
	size_t max = l->config.max_message * 4 + 1048576;

	h->conn = redis_conn_new(l->loop, l->config.url, l->config.timeout_ms, max, h->ops, h);
	if (!h->conn)
		ev_timer_again(l->loop, &h->pause);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)revents;
	ev_timer_stop(loop, w);
	half_connect(w->data);
}

static void pause_then_connect(struct half *h)
{
	uint64_t ms = jitter_between(h->backoff_ms / 2, h->backoff_ms);

	h->backoff_ms = h->backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : h->backoff_ms * 2;
	h->pause.repeat = (double)ms / 1000.;
	ev_timer_again(h->link->loop, &h->pause);
}

static void note_reply(struct half *h)
{
	h->replied_at = clock_seconds();
	h->asked_at = 0;
	h->strikes = 0;
}

static void half_up(struct half *h)
{
	h->up = true;
	note_reply(h);
}

/* A Redis that lets us in and then refuses every question must not be asked in a hurry. */
static void half_proven(struct half *h)
{
	h->proven = true;
	h->backoff_ms = BACKOFF_FIRST_MS;
	if (h->complained)
		log_info("redis %s connection is back", h->name);
	h->complained = false;
}

/* One line when the trouble begins, then silence until it is over. */
static void half_down(struct half *h, const char *why)
{
	struct redis_link *l = h->link;
	char quoted[WHY_BYTES];

	l->errors++;
	snprintf(l->why, sizeof(l->why), "%s", why);
	if (!h->complained)
		log_warn("redis %s connection is down: %s", h->name,
			 log_quote(why, strlen(why), quoted, sizeof(quoted)));
	h->complained = true;
	h->up = h->proven = h->ping_open = false;
	h->asked_at = 0;
	redis_conn_free(h->conn);
	h->conn = NULL;
	pause_then_connect(h);
}

static int half_send(struct half *h, int argc, const char **argv, const size_t *lens)
{
	int err = redis_conn_send(h->conn, argc, argv, lens);
	if (!err && h->asked_at == 0)
		h->asked_at = clock_seconds();
	return err;
}

static bool answers_ping(struct half *h)
{
	bool open = h->ping_open;
	h->ping_open = false;
	return open;
}

/* ---- the subscriber ---- */

static void subscriber_lost(struct redis_link *l, const char *why)
{
	bool was_up = l->subscriber.up;
	half_down(&l->subscriber, why);
	if (was_up)
		l->ops->subscriber_down(l->arg);
}

static void on_subscriber_up(void *arg)
{
	struct half *h = arg;
	struct redis_link *l = h->link;

	half_up(h);
	l->answered = l->asked; /* what the last connection left open will not be answered */
	l->reconnects += l->ever_up;
	l->ever_up = true;
	l->ops->subscriber_up(l->arg);
}

static void on_subscriber_down(void *arg, const char *why)
{
	struct half *h = arg;
	subscriber_lost(h->link, why);
}

static struct span text_of(const struct redisReply *r)
{
	bool text = r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS;
	return text ? (struct span){r->str, (size_t)r->len} : (struct span){NULL, 0};
}

static bool subscribe_answered(struct redis_link *l)
{
	if (l->answered == l->asked)
		return false;
	half_proven(&l->subscriber);
	l->answered++;
	l->ops->confirmed(l->arg, l->answered);
	return true;
}

/* An error is the answer to one SUBSCRIBE: all else that we send here (UNSUBSCRIBE, PING) is not
 * refused; where it is, no SUBSCRIBE must count as answered. */
static bool on_subscribe_error(struct redis_link *l, struct span error)
{
	char quoted[WHY_BYTES];

	l->errors++;
	log_error("redis refuses a subscription: %s",
		  log_quote(error.at, error.len, quoted, sizeof(quoted)));
	if (l->answered == l->asked)
		return true;
	l->ops->refused(l->arg, l->answered + 1);
	return subscribe_answered(l);
}

/* message, subscribe, unsubscribe and pong are all that RESP2 sends a subscriber. */
static bool on_push(struct redis_link *l, const struct redisReply *r)
{
	struct span kind = text_of(r->element[0]), channel = text_of(r->element[1]);

	if (span_is(kind, "message") && r->elements == 3) {
		struct span payload = text_of(r->element[2]);
		if (channel.at && payload.at)
			l->ops->message(l->arg, channel, payload);
		return channel.at && payload.at;
	}
	if (span_is(kind, "subscribe"))
		return subscribe_answered(l);
	if (span_is(kind, "pong") && answers_ping(&l->subscriber)) {
		half_proven(&l->subscriber);
		return true;
	}
	return span_is(kind, "unsubscribe");
}

/* Returns whether it is something that Redis may say. */
static bool take_subscriber_reply(struct redis_link *l, const struct redisReply *r)
{
	if (r->type == REDIS_REPLY_ERROR)
		return on_subscribe_error(l, (struct span){r->str, (size_t)r->len});
	if (r->type == REDIS_REPLY_ARRAY && r->elements >= 2)
		return on_push(l, r);
	if (r->type != REDIS_REPLY_STATUS || !answers_ping(&l->subscriber))
		return false;
	half_proven(&l->subscriber);
	return true;
}

static void on_subscriber_reply(void *arg, struct redisReply *r)
{
	struct half *h = arg;
	struct redis_link *l = h->link;

	note_reply(h);
	if (!take_subscriber_reply(l, r) && h->up)
		subscriber_lost(l, "an answer that nobody asked for");
}

static const struct redis_conn_ops subscriber_ops = {
	.up = on_subscriber_up,
	.reply = on_subscriber_reply,
	.down = on_subscriber_down,
};

uint64_t redis_link_subscribe(struct redis_link *l, struct span channel)
{
	const char *argv[] = {"SUBSCRIBE", channel.at};
	const size_t lens[] = {9, channel.len};

	if (!l->subscriber.up)
		return 0;
	if (half_send(&l->subscriber, 2, argv, lens) != 0) {
		subscriber_lost(l, "out of memory");
		return 0;
	}
	return ++l->asked;
}

void redis_link_unsubscribe(struct redis_link *l, struct span channel)
{
	const char *argv[] = {"UNSUBSCRIBE", channel.at};
	const size_t lens[] = {11, channel.len};

	if (l->subscriber.up && half_send(&l->subscriber, 2, argv, lens) != 0)
		subscriber_lost(l, "out of memory");
}

/* ---- the asker ---- */

static void asker_lost(struct redis_link *l, const char *why)
{
	bool open = l->position_open;

	l->position_open = l->info_open = false;
	half_down(&l->asker, why);
	if (open)
		l->ops->position(l->arg, false, (struct event_id){0, 0});
}

/* May this Redis evict the logs? Who may not ask INFO does not learn it. */
static void ask_info(struct redis_link *l)
{
	const char *argv[] = {"INFO", "memory"};
	const size_t lens[] = {4, 6};

	l->info_open = half_send(&l->asker, 2, argv, lens) == 0;
}

static void on_info(struct redis_link *l, struct span info)
{
	struct span policy;
	char quoted[64];

	l->info_open = false;
	if (info.at && redis_info_evicts(info, &policy))
		log_warn("redis has maxmemory-policy %s: it may evict the logs that reconnecting "
			 "listeners "
			 "resume from; noeviction keeps them",
			 log_quote(policy.at, policy.len, quoted, sizeof(quoted)));
}

static void on_asker_up(void *arg)
{
	struct half *h = arg;
	half_up(h);
	ask_info(h->link);
	h->link->ops->asking_up(h->link->arg);
	redis_link_position(h->link); /* proves the connection, when nobody has asked for one */
}

static void on_asker_down(void *arg, const char *why)
{
	struct half *h = arg;
	asker_lost(h->link, why);
}

static int send_position(struct redis_link *l, bool in_full)
{
	const char *argv[] = {in_full ? "EVAL" : "EVALSHA",
			      in_full ? position_lua : POSITION_LUA_SHA, "1", l->state_key};
	const size_t lens[] = {strlen(argv[0]), strlen(argv[1]), 1, strlen(l->state_key)};

	l->position_in_full = in_full;
	return half_send(&l->asker, 4, argv, lens);
}

bool redis_link_position(struct redis_link *l)
{
	if (!l->asker.up || l->position_open)
		return false;
	if (send_position(l, false) != 0) {
		asker_lost(l, "out of memory");
		return false;
	}
	l->position_open = true;
	return true;
}

static void on_position_error(struct redis_link *l, struct span error)
{
	char why[WHY_BYTES];

	if (error.len >= 8 && memcmp(error.at, "NOSCRIPT", 8) == 0 && !l->position_in_full &&
	    send_position(l, true) == 0)
		return;
	snprintf(why, sizeof(why), "it refuses to tell a position: %.*s",
		 (int)(error.len < 180 ? error.len : 180), error.at);
	asker_lost(l, why);
}

static void on_asker_reply(void *arg, struct redisReply *r)
{
	struct half *h = arg;
	struct redis_link *l = h->link;
	struct event_id id;

	note_reply(h);
	if (r->type == REDIS_REPLY_STATUS && answers_ping(h))
		return;
	if (l->info_open) {
		on_info(l, text_of(r));
	} else if (!l->position_open) {
		asker_lost(l, "an answer that nobody asked for");
	} else if (r->type == REDIS_REPLY_ERROR) {
		on_position_error(l, (struct span){r->str, (size_t)r->len});
	} else if (r->type != REDIS_REPLY_STRING ||
		   event_id_parse(r->str, (size_t)r->len, &id) != 0) {
		asker_lost(l, "a position that is none");
	} else {
		half_proven(h);
		l->position_open = false;
		l->ops->position(l->arg, true, id);
	}
}

static const struct redis_conn_ops asker_ops = {
	.up = on_asker_up,
	.reply = on_asker_reply,
	.down = on_asker_down,
};

/* ---- the watchdog ---- */

/* True when a question is open and nothing at all came for longer than a command may take, or far
 * longer nothing but pieces. */
static bool silent(struct half *h, double limit)
{
	double open = h->asked_at == 0 ? 0 : clock_seconds() - h->asked_at;

	if (open <= limit || (redis_conn_silence(h->conn) <= limit && open <= limit * PATIENCE)) {
		h->strikes = 0;
		return false;
	}
	return ++h->strikes >= STRIKES;
}

static void ping_when_quiet(struct half *h, double limit)
{
	const char *argv[] = {"PING"};
	const size_t lens[] = {4};

	if (h->asked_at != 0 || clock_seconds() - h->replied_at < limit)
		return;
	if (h->ping_open) /* something else was said since: the answer is still due */
		h->asked_at = clock_seconds();
	else
		h->ping_open = half_send(h, 1, argv, lens) == 0;
}

static void on_watchdog(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct redis_link *l = w->data;
	double limit = l->config.timeout_ms / 1000.;

	(void)loop, (void)revents;
	if (l->subscriber.up && silent(&l->subscriber, limit))
		subscriber_lost(l, "no answer in time");
	else if (l->subscriber.up)
		ping_when_quiet(&l->subscriber, limit);
	if (l->asker.up && silent(&l->asker, limit))
		asker_lost(l, "no answer in time");
	else if (l->asker.up)
		ping_when_quiet(&l->asker, limit);
}

/* ---- life ---- */

static void half_init(struct half *h, struct redis_link *l, const char *name,
		      const struct redis_conn_ops *ops)
{
	h->link = l;
	h->name = name;
	h->ops = ops;
	h->backoff_ms = BACKOFF_FIRST_MS;
	ev_timer_init(&h->pause, on_pause_over, 0., BACKOFF_FIRST_MS / 1000.);
	h->pause.data = h;
}

static void half_done(struct half *h)
{
	ev_timer_stop(h->link->loop, &h->pause);
	redis_conn_free(h->conn);
}

struct redis_link *redis_link_new(struct ev_loop *loop, const struct redis_link_config *config,
				  const struct redis_link_ops *ops, void *arg)
{
	struct redis_link *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->loop = loop;
	l->config = *config;
	l->ops = ops;
	l->arg = arg;
	topic_key(config->topic_prefix, "state", (struct span){"", 0}, l->state_key);
	half_init(&l->subscriber, l, "subscriber", &subscriber_ops);
	half_init(&l->asker, l, "asker", &asker_ops);
	double period = config->timeout_ms / 2000.;
	ev_timer_init(&l->watchdog, on_watchdog, period, period);
	l->watchdog.data = l;
	ev_timer_start(loop, &l->watchdog);
	half_connect(&l->subscriber);
	half_connect(&l->asker);
	return l;
}

void redis_link_free(struct redis_link *l)
{
	if (!l)
		return;
	ev_timer_stop(l->loop, &l->watchdog);
	half_done(&l->subscriber);
	half_done(&l->asker);
	free(l);
}

bool redis_link_ready(const struct redis_link *l)
{
	return l->subscriber.up && l->asker.proven;
}

const char *redis_link_trouble(const struct redis_link *l)
{
	return l->why;
}

uint64_t redis_link_reconnects(const struct redis_link *l)
{
	return l->reconnects;
}

uint64_t redis_link_errors(const struct redis_link *l)
{
	return l->errors;
}
