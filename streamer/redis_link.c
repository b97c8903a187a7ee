/* redis_link: keeps a subscriber and an asker connected. Each of them is a redis_half, which sees
 * to the attempts; what is asked there and what it means is known here, in two files: this one has
 * the link's life and the subscriber, redis_asker.c the questions to the logs.
 *
 * What is subscribed is the hub's to know: after each loss the owner subscribes anew, and counts
 * the answers, which come in the order of its SUBSCRIBEs. On a Cluster a node says by itself, too,
 * that a channel's slot has gone (unasked sunsubscribe), or refuses with MOVED: the partition is
 * let go then, and the owner of the link looks for its new node. */
#include "streamer/redis_link.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/keyed_hash.h"
#include "common/log.h"
#include "common/num.h"
#include "common/partition.h"
#include "streamer/redis_conn.h"
#include "streamer/redis_link_inside.h"

#define WHY_BYTES 256
#define NOBODY    UINT64_MAX /* in a fifo: of a partition that was let go meanwhile */

/* ---- the partitions ---- */

static bool serves(const struct redis_link *l, unsigned partition)
{
	return l->served[partition];
}

static void forget(struct fifo *f, unsigned partition)
{
	for (size_t i = 0; i < f->count; i++)
		if (*fifo_at(f, i) == partition)
			*fifo_at(f, i) = NOBODY;
}

static void tell_all(struct redis_link *l, void (*what)(struct redis_link *l, unsigned partition))
{
	for (unsigned p = 0; p < l->n_partitions; p++)
		if (serves(l, p))
			what(l, p);
}

static void tell_connected(struct redis_link *l, unsigned partition)
{
	l->ops->connected(l->arg, partition, l->subscriber.server);
}

static void tell_disconnected(struct redis_link *l, unsigned partition)
{
	l->ops->disconnected(l->arg, partition);
}

int redis_link_take(struct redis_link *l, unsigned partition)
{
	if (serves(l, partition))
		return 0;
	l->served[partition] = true;
	l->n_served++;
	if (l->subscriber.up)
		tell_connected(l, partition);
	if (l->asker.up && serves(l, partition))
		l->ops->may_ask(l->arg, partition);
	return 0;
}

void redis_link_let_go(struct redis_link *l, unsigned partition)
{
	if (!serves(l, partition))
		return;
	l->served[partition] = false;
	l->n_served--;
	forget(&l->subscribes, partition);
	if (l->subscriber.up)
		l->ops->disconnected(l->arg, partition);
	redis_asker_forget(l, partition);
}

unsigned redis_link_serves(const struct redis_link *l)
{
	return l->n_served;
}

/* It is not here (any more). */
void redis_link_stray(struct redis_link *l, unsigned partition)
{
	redis_link_let_go(l, partition);
	if (l->config.astray)
		l->config.astray(l->config.owner, l, partition);
}

/* `sse:{3.17}:…` behind the prefix: the channels of a Cluster say their partition. */
static bool partition_of_channel(const struct redis_link *l, struct span channel, unsigned *out)
{
	uint64_t number;

	if (l->config.partitions == 0) {
		*out = 0;
		return true;
	}
	if (channel.len <= l->tag_at || channel.at[l->tag_at - 1] != '{')
		return false;
	const char *tag = channel.at + l->tag_at;
	const char *dot = memchr(tag, '.', channel.len - l->tag_at);
	if (!dot || num_parse_u64(tag, (size_t)(dot - tag), 0, l->n_partitions - 1, &number) != 0)
		return false;
	*out = (unsigned)number;
	return serves(l, *out);
}

/* ---- the subscriber ---- */

static void subscriber_lost(struct redis_link *l, const char *why)
{
	bool was_up = l->subscriber.up;

	l->errors++;
	redis_half_down(&l->subscriber, why);
	fifo_clear(&l->subscribes);
	fifo_clear(&l->unsubscribes);
	if (was_up)
		tell_all(l, tell_disconnected);
	if (l->config.lost)
		l->config.lost(l->config.owner, l);
}

static void subscriber_ready(struct redis_link *l)
{
	l->reconnects += l->ever_up;
	l->ever_up = true;
	redis_link_agree(l, &l->subscriber, &l->asker);
	tell_all(l, tell_connected);
}

static void on_subscriber_up(void *arg)
{
	struct redis_link *l = arg;

	if (redis_half_up(&l->subscriber))
		subscriber_ready(l);
	else if (!l->subscriber.greeting_open)
		subscriber_lost(l, "out of memory");
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

static bool subscribe_answered(struct redis_link *l, bool refused)
{
	uint64_t partition;

	if (!fifo_pop(&l->subscribes, &partition))
		return false;
	redis_half_proven(&l->subscriber);
	if (partition != NOBODY)
		l->ops->subscribed(l->arg, (unsigned)partition, refused);
	return true;
}

/* The slot is elsewhere, or nowhere. */
bool redis_link_is_stray(struct span error)
{
	static const char *const words[] = {"MOVED ", "CLUSTERDOWN "};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (error.len >= strlen(words[i]) &&
		    memcmp(error.at, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* An error is the answer to one SUBSCRIBE: all else that we send here (UNSUBSCRIBE, PING) is not
 * refused; where it is, no SUBSCRIBE must count as answered. */
static bool on_subscribe_error(struct redis_link *l, struct span error)
{
	char quoted[WHY_BYTES];
	uint64_t partition;

	l->errors++;
	if (redis_link_is_stray(error)) {
		if (fifo_pop(&l->subscribes, &partition) && partition != NOBODY)
			redis_link_stray(l, (unsigned)partition);
		return true;
	}
	log_error("redis refuses a subscription: %s",
		  log_quote(error.at, error.len, quoted, sizeof(quoted)));
	subscribe_answered(l, true);
	return true;
}

/* Our own SUNSUBSCRIBEs are answered in order; any other one says that the slot has gone. */
static bool on_unsubscribe(struct redis_link *l, struct span channel)
{
	uint64_t hash = keyed_hash(0, channel.at ? channel.at : "", channel.len);
	unsigned partition;

	if (l->config.partitions == 0)
		return true;
	if (l->unsubscribes.count > 0 && *fifo_at(&l->unsubscribes, 0) == hash) {
		fifo_pop(&l->unsubscribes, &hash);
		return true;
	}
	if (channel.at && partition_of_channel(l, channel, &partition)) {
		log_info("the slot of partition %u has left a node of the Cluster", partition);
		redis_link_stray(l, partition);
	}
	return true;
}

static bool on_barrier(struct redis_link *l, struct span text)
{
	const char *colon = memchr(text.at, ':', text.len);
	size_t digits = colon ? (size_t)(colon - text.at) : 0;
	uint64_t partition, number;

	if (!colon || num_parse_u64(text.at, digits, 0, l->n_partitions - 1, &partition) != 0 ||
	    num_parse_u64(colon + 1, text.len - digits - 1, 0, UINT64_MAX, &number) != 0)
		return false;
	if (serves(l, (unsigned)partition))
		l->ops->barrier(l->arg, (unsigned)partition, number);
	return true;
}

/* The watchdog's PING has no text, a barrier's its partition and number. */
static bool on_pong(struct redis_link *l, struct span text)
{
	redis_half_proven(&l->subscriber);
	return text.len == 0 ? redis_half_answers_ping(&l->subscriber) : on_barrier(l, text);
}

static bool on_message(struct redis_link *l, struct span channel, struct span payload)
{
	unsigned partition;

	if (!channel.at || !payload.at)
		return false;
	if (partition_of_channel(l, channel, &partition))
		l->ops->message(l->arg, partition, channel, payload);
	return true;
}

/* message, subscribe, unsubscribe (with an s before each on a Cluster) and pong are all that RESP2
 * sends a subscriber. */
static bool on_push(struct redis_link *l, const struct redisReply *r)
{
	struct span kind = text_of(r->element[0]), channel = text_of(r->element[1]);

	if (l->config.partitions > 0 && kind.len > 0 && kind.at[0] == 's')
		kind = (struct span){kind.at + 1, kind.len - 1};
	if (span_is(kind, "message") && r->elements == 3)
		return on_message(l, channel, text_of(r->element[2]));
	if (span_is(kind, "subscribe"))
		return subscribe_answered(l, false);
	if (span_is(kind, "pong"))
		return on_pong(l, channel);
	return span_is(kind, "unsubscribe") && on_unsubscribe(l, channel);
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
	if (l->subscriber.greeting_open) {
		const char *why = redis_half_greeted(&l->subscriber, r);
		if (why)
			subscriber_lost(l, why);
		else
			subscriber_ready(l);
	} else if (!take_subscriber_reply(l, r) && l->subscriber.up) {
		subscriber_lost(l, "an answer that nobody asked for");
	}
}

static const struct redis_conn_ops subscriber_ops = {
	.up = on_subscriber_up,
	.reply = on_subscriber_reply,
	.down = on_subscriber_down,
};

static bool send_to_subscriber(struct redis_link *l, const char *word, struct span argument)
{
	const char *argv[] = {word, argument.at};
	const size_t lens[] = {strlen(word), argument.len};

	if (redis_half_send(&l->subscriber, 2, argv, lens) == 0)
		return true;
	subscriber_lost(l, "out of memory");
	return false;
}

bool redis_link_subscribe(struct redis_link *l, unsigned partition, struct span channel)
{
	if (!l->subscriber.up || !serves(l, partition))
		return false;
	if (fifo_push(&l->subscribes, partition) != 0) {
		subscriber_lost(l, "out of memory");
		return false;
	}
	return send_to_subscriber(l, l->config.partitions ? "SSUBSCRIBE" : "SUBSCRIBE", channel);
}

void redis_link_unsubscribe(struct redis_link *l, unsigned partition, struct span channel)
{
	bool sharded = l->config.partitions > 0;

	if (!l->subscriber.up || !serves(l, partition))
		return;
	if (sharded && fifo_push(&l->unsubscribes, keyed_hash(0, channel.at, channel.len)) != 0)
		subscriber_lost(l, "out of memory");
	else
		send_to_subscriber(l, sharded ? "SUNSUBSCRIBE" : "UNSUBSCRIBE", channel);
}

void redis_link_barrier(struct redis_link *l, unsigned partition, uint64_t number)
{
	char text[2 * NUM_U64_DIGITS + 1];
	size_t len = num_format_u64(partition, text);

	text[len++] = ':';
	len += num_format_u64(number, text + len);
	if (l->subscriber.up && serves(l, partition))
		send_to_subscriber(l, "PING", (struct span){text, len});
}

/* ---- both ---- */

/* A position of one server says nothing of what another one publishes. The one that came first
 * goes. */
void redis_link_agree(struct redis_link *l, struct redis_half *h, struct redis_half *other)
{
	if (!other->up || strcmp(h->server, other->server) == 0)
		return;
	if (other == &l->asker)
		redis_asker_lost(l, "the other connection is to another server");
	else
		subscriber_lost(l, "the other connection is to another server");
	redis_half_hurry(other);
}

void redis_link_reconnect(struct redis_link *l, const char *why)
{
	if (l->subscriber.conn)
		subscriber_lost(l, why);
	if (l->asker.conn)
		redis_asker_lost(l, why);
	redis_half_hurry(&l->subscriber);
	redis_half_hurry(&l->asker);
}

static bool is_watched(const struct redis_half *h)
{
	return h->up || h->greeting_open;
}

static void on_watchdog(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct redis_link *l = w->data;

	(void)loop, (void)revents;
	if (is_watched(&l->subscriber) && !redis_half_watch(&l->subscriber))
		subscriber_lost(l, "no answer in time");
	if (is_watched(&l->asker) && !redis_half_watch(&l->asker))
		redis_asker_lost(l, "no answer in time");
}

/* ---- life ---- */

static void half_init(struct redis_link *l, struct redis_half *h, const char *name,
		      size_t max_bytes, const struct redis_conn_ops *ops)
{
	const struct redis_half_config config = {
		.login = l->config.login,
		.where = l->config.where,
		.where_arg = l->config.where_arg,
		.greeting = l->config.greeting,
		.timeout_ms = l->config.timeout_ms,
		.max_bytes = max_bytes,
	};
	redis_half_init(h, l->loop, &config, name, ops, l);
}

static struct redis_link *make_link(const struct redis_link_config *config)
{
	unsigned n = config->partitions ? config->partitions : 1;
	struct redis_link *l = calloc(1, sizeof(*l) + n * sizeof(l->served[0]));

	if (!l)
		return NULL;
	l->n_partitions = n;
	l->spaces = calloc(n, sizeof(*l->spaces));
	if (!l->spaces) {
		free(l);
		return NULL;
	}
	for (unsigned i = 0; i < n; i++) {
		char tag[PARTITION_TAG_BYTES] = "";
		if (config->partitions)
			partition_tag(i, n, tag);
		topic_space_init(&l->spaces[i], config->topic_prefix, tag);
	}
	l->tag_at = strlen(config->topic_prefix) + (*config->topic_prefix ? 1 : 0) +
		    sizeof("sse:{") - 1;
	return l;
}

struct redis_link *redis_link_new(struct ev_loop *loop, const struct redis_link_config *config,
				  const struct redis_ops *ops, void *arg)
{
	struct redis_link *l = make_link(config);
	if (!l)
		return NULL;
	l->loop = loop;
	l->config = *config;
	l->ops = ops;
	l->arg = arg;
	half_init(l, &l->subscriber, "subscriber", config->max_message * 4 + 1048576,
		  &subscriber_ops);
	half_init(l, &l->asker, "asker", replay_call_max_bytes(config->max_message),
		  &redis_asker_ops);
	redis_asker_init(l);
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
	redis_asker_done(l);
	redis_half_done(&l->subscriber);
	redis_half_done(&l->asker);
	fifo_done(&l->subscribes);
	fifo_done(&l->unsubscribes);
	free(l->spaces);
	free(l);
}

const char *redis_link_server(const struct redis_link *l)
{
	return l->subscriber.server;
}

bool redis_link_ready(const struct redis_link *l)
{
	return l->subscriber.up && l->asker.proven;
}

uint64_t redis_link_questions(const struct redis_link *l)
{
	return l->n_questions;
}

uint64_t redis_link_reconnects(const struct redis_link *l)
{
	return l->reconnects;
}

uint64_t redis_link_errors(const struct redis_link *l)
{
	return l->errors;
}
