/* redis_link: keeps a subscriber and an asker connected. Each of them is a redis_half,
 * which sees to the attempts; what is asked there and what it means is known here. What is
 * subscribed is the hub's to know: after each loss the owner subscribes anew, and counts what Redis
 * answered by the sequence numbers given out here. */
#include "streamer/redis_link.h"

#include <errno.h>
#include <ev.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/log.h"
#include "common/num.h"
#include "common/topic.h"
#include "streamer/redis_conn.h"
#include "streamer/redis_half.h"
#include "streamer/redis_info.h"
#include "streamer/replay_call.h"

#define WHY_BYTES         256
#define COMMAND_MAX_BYTES ((size_t)16 * 1024 * 1024) /* far above what a question can measure */

struct redis_link {
	struct ev_loop *loop;
	struct redis_link_config config;
	const struct redis_link_ops *ops;
	void *arg;
	struct topic_space space;
	struct redis_half subscriber, asker;
	ev_timer watchdog;
	uint64_t asked, answered; /* SUBSCRIBEs of this connection's life and before */
	bool info_open;           /* the first question of a new asker is out */
	bool question_open;
	size_t question_topics;
	bool in_full;      /* Redis does not know the script: it goes with the next question */
	bool sent_in_full; /* the open one has it */
	bool ever_up;
	uint64_t questions, reconnects, errors;
};

/* ---- the subscriber ---- */

static void subscriber_lost(struct redis_link *l, const char *why)
{
	bool was_up = l->subscriber.up;
	l->errors++;
	redis_half_down(&l->subscriber, why);
	if (was_up)
		l->ops->subscriber_down(l->arg);
}

static void on_subscriber_up(void *arg)
{
	struct redis_link *l = arg;

	redis_half_up(&l->subscriber);
	l->answered = l->asked; /* what the last connection left open will not be answered */
	l->reconnects += l->ever_up;
	l->ever_up = true;
	l->ops->subscriber_up(l->arg);
}

static void on_subscriber_down(void *arg, const char *why)
{
	subscriber_lost(arg, why);
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
	redis_half_proven(&l->subscriber);
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

/* The watchdog's PING has no text, a barrier's its number. */
static bool on_pong(struct redis_link *l, struct span text)
{
	uint64_t number;

	redis_half_proven(&l->subscriber);
	if (text.len == 0)
		return redis_half_answers_ping(&l->subscriber);
	if (num_parse_u64(text.at, text.len, 0, UINT64_MAX, &number) != 0)
		return false;
	l->ops->barrier(l->arg, number);
	return true;
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
	if (span_is(kind, "pong"))
		return on_pong(l, channel);
	return span_is(kind, "unsubscribe");
}

/* Returns whether it is something that Redis may say. */
static bool take_subscriber_reply(struct redis_link *l, const struct redisReply *r)
{
	if (r->type == REDIS_REPLY_ERROR)
		return on_subscribe_error(l, (struct span){r->str, (size_t)r->len});
	if (r->type == REDIS_REPLY_ARRAY && r->elements >= 2)
		return on_push(l, r);
	/* while nothing is subscribed, PING is answered as to anybody */
	if (r->type == REDIS_REPLY_STATUS)
		return on_pong(l, (struct span){"", 0});
	return r->type == REDIS_REPLY_STRING && on_pong(l, text_of(r));
}

static void on_subscriber_reply(void *arg, struct redisReply *r)
{
	struct redis_link *l = arg;

	redis_half_replied(&l->subscriber);
	if (!take_subscriber_reply(l, r) && l->subscriber.up)
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
	if (redis_half_send(&l->subscriber, 2, argv, lens) != 0) {
		subscriber_lost(l, "out of memory");
		return 0;
	}
	return ++l->asked;
}

void redis_link_unsubscribe(struct redis_link *l, struct span channel)
{
	const char *argv[] = {"UNSUBSCRIBE", channel.at};
	const size_t lens[] = {11, channel.len};

	if (l->subscriber.up && redis_half_send(&l->subscriber, 2, argv, lens) != 0)
		subscriber_lost(l, "out of memory");
}

void redis_link_barrier(struct redis_link *l, uint64_t number)
{
	char digits[NUM_U64_DIGITS];
	const char *argv[] = {"PING", digits};
	const size_t lens[] = {4, num_format_u64(number, digits)};

	if (l->subscriber.up && redis_half_send(&l->subscriber, 2, argv, lens) != 0)
		subscriber_lost(l, "out of memory");
}

/* ---- the asker ---- */

static void question_over(struct redis_link *l, const struct log_answer *answer)
{
	bool open = l->question_open;

	l->question_open = false;
	if (open)
		l->ops->answer(l->arg, answer);
}

static void asker_lost(struct redis_link *l, const char *why)
{
	l->info_open = false;
	l->errors++;
	redis_half_down(&l->asker, why);
	question_over(l, NULL);
}

/* May this Redis evict the logs? Who may not ask INFO does not learn it. */
static void ask_info(struct redis_link *l)
{
	const char *argv[] = {"INFO", "memory"};
	const size_t lens[] = {4, 6};

	l->info_open = redis_half_send(&l->asker, 2, argv, lens) == 0;
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
	struct redis_link *l = arg;
	redis_half_up(&l->asker);
	ask_info(l);
	l->ops->asking_up(l->arg);
}

static void on_asker_down(void *arg, const char *why)
{
	asker_lost(arg, why);
}

bool redis_link_ask(struct redis_link *l, const struct log_question *q)
{
	struct buf command;

	if (!l->asker.up || l->question_open)
		return false;
	buf_init(&command, COMMAND_MAX_BYTES);
	int rc = replay_call_write(q, &l->space, l->in_full, &command);
	if (rc == 0)
		rc = redis_half_write(&l->asker, (struct span){command.data, command.len});
	buf_done(&command);
	if (rc != 0) {
		asker_lost(l, "out of memory");
		return false;
	}
	l->sent_in_full = l->in_full;
	l->in_full = false;
	l->question_topics = q->n;
	l->question_open = true;
	l->questions++;
	return true;
}

/* A Redis that was restarted does not know the script any more: whoever asked asks again. */
static void on_question_error(struct redis_link *l, struct span error)
{
	char why[WHY_BYTES];

	if (error.len >= 8 && memcmp(error.at, "NOSCRIPT", 8) == 0 && !l->sent_in_full) {
		l->in_full = true;
		question_over(l, NULL);
		return;
	}
	snprintf(why, sizeof(why), "it refuses to read the logs: %.*s",
		 (int)(error.len < 180 ? error.len : 180), error.at);
	asker_lost(l, why);
}

static void on_answer(struct redis_link *l, const struct redisReply *r)
{
	struct replay_reply reply = {0};
	int rc = replay_call_read(r, l->question_topics, &reply);

	if (rc == 0) {
		redis_half_proven(&l->asker);
		question_over(l, &reply.answer);
	} else {
		asker_lost(l, rc == -ENOMEM ? "out of memory" : "an answer that is none");
	}
	replay_reply_done(&reply);
}

static void on_asker_reply(void *arg, struct redisReply *r)
{
	struct redis_link *l = arg;

	redis_half_replied(&l->asker);
	if (r->type == REDIS_REPLY_STATUS && redis_half_answers_ping(&l->asker))
		return;
	if (l->info_open)
		on_info(l, text_of(r));
	else if (!l->question_open)
		asker_lost(l, "an answer that nobody asked for");
	else if (r->type == REDIS_REPLY_ERROR)
		on_question_error(l, (struct span){r->str, (size_t)r->len});
	else
		on_answer(l, r);
}

static const struct redis_conn_ops asker_ops = {
	.up = on_asker_up,
	.reply = on_asker_reply,
	.down = on_asker_down,
};

/* ---- the watchdog ---- */

static void on_watchdog(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct redis_link *l = w->data;

	(void)loop, (void)revents;
	if (l->subscriber.up && !redis_half_watch(&l->subscriber))
		subscriber_lost(l, "no answer in time");
	if (l->asker.up && !redis_half_watch(&l->asker))
		asker_lost(l, "no answer in time");
}

/* ---- life ---- */

static void half_init(struct redis_link *l, struct redis_half *h, const char *name,
		      size_t max_bytes, const struct redis_conn_ops *ops)
{
	const struct redis_half_config config = {
		.login = l->config.login,
		.timeout_ms = l->config.timeout_ms,
		.max_bytes = max_bytes,
	};
	redis_half_init(h, l->loop, &config, name, ops, l);
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
	topic_space_init(&l->space, config->topic_prefix, "");
	half_init(l, &l->subscriber, "subscriber", config->max_message * 4 + 1048576,
		  &subscriber_ops);
	half_init(l, &l->asker, "asker", replay_call_max_bytes(config->max_message), &asker_ops);
	double period = config->timeout_ms / 2000.;
	ev_timer_init(&l->watchdog, on_watchdog, period, period);
	l->watchdog.data = l;
	ev_timer_start(loop, &l->watchdog);
	redis_half_connect(&l->subscriber);
	redis_half_connect(&l->asker);
	return l;
}

void redis_link_free(struct redis_link *l)
{
	if (!l)
		return;
	ev_timer_stop(l->loop, &l->watchdog);
	redis_half_done(&l->subscriber);
	redis_half_done(&l->asker);
	free(l);
}

bool redis_link_ready(const struct redis_link *l)
{
	return l->subscriber.up && l->asker.proven;
}

uint64_t redis_link_questions(const struct redis_link *l)
{
	return l->questions;
}

uint64_t redis_link_reconnects(const struct redis_link *l)
{
	return l->reconnects;
}

uint64_t redis_link_errors(const struct redis_link *l)
{
	return l->errors;
}
