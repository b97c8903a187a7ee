/* redis_asker: the questions of a link: replay.lua for each partition, one at a time, and once for
 * each connection whether this Redis may evict the logs. Part of redis_link (redis_link_inside.h).
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include "common/buf.h"
#include "common/log.h"
#include "streamer/redis_info.h"
#include "streamer/redis_link_inside.h"

#define WHY_BYTES         256
#define COMMAND_MAX_BYTES ((size_t)16 * 1024 * 1024) /* far above what a question can measure */
#define PAUSE_SECONDS     0.1 /* a slot that is on its way to another node can't be asked */

/* An open question in one number: partition, whether the script went with it, number of topics. */
#define NOBODY  0xffffffffu
#define IN_FULL 0x10000u /* above any number of topics */

static uint64_t question(unsigned partition, uint64_t rest)
{
	return (uint64_t)partition << 32 | rest;
}

static unsigned partition_of_question(uint64_t q)
{
	return (unsigned)(q >> 32);
}

static size_t topics_of_question(uint64_t q)
{
	return (size_t)(q & (IN_FULL - 1));
}

/* The oldest one is over. */
static void question_over(struct redis_link *l, const struct log_answer *answer)
{
	uint64_t q;

	if (fifo_pop(&l->questions, &q) && partition_of_question(q) != NOBODY)
		l->ops->answer(l->arg, partition_of_question(q), answer);
}

void redis_asker_forget(struct redis_link *l, unsigned partition)
{
	for (size_t i = 0; i < l->questions.count; i++) {
		uint64_t *q = fifo_at(&l->questions, i);

		if (partition_of_question(*q) != partition)
			continue;
		*q = question(NOBODY, *q & UINT32_MAX);
		l->ops->answer(l->arg, partition, NULL);
		return;
	}
}

void redis_asker_lost(struct redis_link *l, const char *why)
{
	l->info_open = false;
	l->full_open = 0;
	l->errors++;
	ev_timer_stop(l->loop, &l->pause);
	redis_half_down(&l->asker, why);
	while (l->questions.count > 0)
		question_over(l, NULL);
	if (l->config.lost)
		l->config.lost(l->config.owner, l);
}

/* May this Redis evict the logs? Who may not ask INFO does not learn it. */
static void ask_info(struct redis_link *l)
{
	const char *argv[] = {"INFO", "memory"};
	const size_t lens[] = {4, 6};

	l->info_open = redis_half_send(&l->asker, 2, argv, lens) == 0;
}

static void on_info(struct redis_link *l, const struct redisReply *r)
{
	struct span policy;
	char quoted[64];

	l->info_open = false;
	if (r->type == REDIS_REPLY_STRING &&
	    redis_info_evicts((struct span){r->str, (size_t)r->len}, &policy))
		log_warn("redis has maxmemory-policy %s: it may evict the logs that reconnecting "
			 "listeners resume from; noeviction keeps them",
			 log_quote(policy.at, policy.len, quoted, sizeof(quoted)));
}

static void tell_may_ask(struct redis_link *l)
{
	for (unsigned p = 0; p < l->n_partitions; p++)
		if (l->served[p])
			l->ops->may_ask(l->arg, p);
}

static void asker_ready(struct redis_link *l)
{
	ask_info(l);
	redis_link_agree(l, &l->asker, &l->subscriber);
	tell_may_ask(l);
}

static void on_asker_up(void *arg)
{
	struct redis_link *l = arg;

	if (redis_half_up(&l->asker))
		asker_ready(l);
	else if (!l->asker.greeting_open)
		redis_asker_lost(l, "out of memory");
}

static void on_asker_down(void *arg, const char *why)
{
	redis_asker_lost(arg, why);
}

static int write_question(struct redis_link *l, unsigned partition, const struct log_question *q)
{
	struct buf command;

	buf_init(&command, COMMAND_MAX_BYTES);
	int rc = fifo_push(&l->questions, question(partition, q->n | (l->in_full ? IN_FULL : 0)));
	bool pushed = rc == 0;
	if (rc == 0)
		rc = replay_call_write(q, &l->spaces[partition], l->in_full, &command);
	if (rc == 0)
		rc = redis_half_write(&l->asker, (struct span){command.data, command.len});
	buf_done(&command);
	if (pushed && rc != 0) /* whoever asks hears of it by our return */
		*fifo_at(&l->questions, l->questions.count - 1) = question(NOBODY, 0);
	return rc;
}

bool redis_link_ask(struct redis_link *l, unsigned partition, const struct log_question *q)
{
	if (!l->asker.up || !l->served[partition] || ev_is_active(&l->pause))
		return false;
	if (write_question(l, partition, q) != 0) {
		redis_asker_lost(l, "out of memory");
		return false;
	}
	l->full_open += l->in_full;
	l->in_full = false;
	l->n_questions++;
	return true;
}

static bool begins_with(struct span text, const char *words)
{
	return text.len >= strlen(words) && memcmp(text.at, words, strlen(words)) == 0;
}

/* A Redis that was restarted does not know the script any more: whoever asked asks again. While the
 * script is on its way with another question, so is the cure. */
static void on_script_unknown(struct redis_link *l)
{
	l->in_full = l->full_open == 0;
	question_over(l, NULL);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)revents;
	tell_may_ask(w->data);
}

/* Some of the partition's keys are on their way to another node: it can be asked there, or here,
 * when all have arrived. */
static void on_try_again(struct redis_link *l)
{
	if (!ev_is_active(&l->pause)) {
		ev_timer_set(&l->pause, PAUSE_SECONDS, 0.);
		ev_timer_start(l->loop, &l->pause);
	}
	question_over(l, NULL);
}

static void on_question_error(struct redis_link *l, struct span error)
{
	uint64_t oldest = *fifo_at(&l->questions, 0);
	unsigned partition = partition_of_question(oldest);
	char why[WHY_BYTES];

	if (begins_with(error, "NOSCRIPT") && !(oldest & IN_FULL)) {
		on_script_unknown(l);
	} else if (begins_with(error, "TRYAGAIN ") || begins_with(error, "ASK ")) {
		on_try_again(l);
	} else if (redis_link_is_stray(error)) {
		question_over(l, NULL);
		if (partition != NOBODY)
			redis_link_stray(l, partition);
	} else {
		snprintf(
			why, sizeof(why), "%s: %.*s",
			begins_with(error, "CROSSSLOT ")
				? "it is a node of a Cluster (redis_url names two of its nodes, or "
				  "one twice)"
				: "it refuses to read the logs",
			(int)(error.len < 120 ? error.len : 120), error.at);
		redis_asker_lost(l, why);
	}
}

static void on_answer(struct redis_link *l, const struct redisReply *r)
{
	struct replay_reply reply = {0};
	int rc = replay_call_read(r, topics_of_question(*fifo_at(&l->questions, 0)), &reply);

	if (rc == 0) {
		l->full_open = 0; /* whatever was sent by now, the script is known */
		redis_half_proven(&l->asker);
		question_over(l, &reply.answer);
	} else {
		redis_asker_lost(l, rc == -ENOMEM ? "out of memory" : "an answer that is none");
	}
	replay_reply_done(&reply);
}

static void on_greeted(struct redis_link *l, const struct redisReply *r)
{
	const char *why = redis_half_greeted(&l->asker, r);

	if (why)
		redis_asker_lost(l, why);
	else
		asker_ready(l);
}

static void on_asker_reply(void *arg, struct redisReply *r)
{
	struct redis_link *l = arg;

	redis_half_replied(&l->asker);
	if (l->asker.greeting_open)
		on_greeted(l, r);
	else if (r->type == REDIS_REPLY_STATUS && redis_half_answers_ping(&l->asker))
		return;
	else if (l->info_open)
		on_info(l, r);
	else if (l->questions.count == 0)
		redis_asker_lost(l, "an answer that nobody asked for");
	else if (r->type == REDIS_REPLY_ERROR)
		on_question_error(l, (struct span){r->str, (size_t)r->len});
	else
		on_answer(l, r);
}

const struct redis_conn_ops redis_asker_ops = {
	.up = on_asker_up,
	.reply = on_asker_reply,
	.down = on_asker_down,
};

void redis_asker_init(struct redis_link *l)
{
	ev_timer_init(&l->pause, on_pause_over, PAUSE_SECONDS, 0.);
	l->pause.data = l;
}

void redis_asker_done(struct redis_link *l)
{
	ev_timer_stop(l->loop, &l->pause);
	fifo_done(&l->questions);
}
