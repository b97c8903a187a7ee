/* redis_subscriber: the subscriptions of a link, and what comes on them. Part of redis_link
 * (redis_link_inside.h).
 *
 * What is subscribed is the hub's to know: after each loss the owner subscribes anew, and counts
 * the answers, which come in the order of its SUBSCRIBEs. On a Cluster a node says by itself, too,
 * that a channel's slot has gone (unasked sunsubscribe), or refuses with MOVED: the partition is
 * let go then, and the owner of the link looks for its new node. */
#include <hiredis/hiredis.h>
#include <string.h>
#include "common/keyed_hash.h"
#include "common/log.h"
#include "common/num.h"
#include "streamer/redis_link_inside.h"

#define WHY_BYTES 256

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
	return redis_link_has(l, *out);
}

void redis_subscriber_lost(struct redis_link *l, const char *why)
{
	bool was_up = l->subscriber.up;

	l->errors++;
	redis_half_down(&l->subscriber, why);
	fifo_clear(&l->subscribes);
	fifo_clear(&l->unsubscribes);
	if (was_up)
		redis_link_tell(l, false);
	if (l->config.lost)
		l->config.lost(l->config.owner, l);
}

static void subscriber_ready(struct redis_link *l)
{
	l->reconnects += l->ever_up;
	l->ever_up = true;
	redis_link_agree(l, &l->subscriber, &l->asker);
	redis_link_tell(l, true);
}

static void on_subscriber_up(void *arg)
{
	struct redis_link *l = arg;

	if (redis_half_up(&l->subscriber))
		subscriber_ready(l);
	else if (!l->subscriber.greeting_open)
		redis_subscriber_lost(l, "out of memory");
}

static void on_subscriber_down(void *arg, const char *why)
{
	redis_subscriber_lost(arg, why);
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
	if (partition != REDIS_LINK_NOBODY)
		l->ops->subscribed(l->arg, (unsigned)partition, refused);
	return true;
}

/* An error is the answer to one SUBSCRIBE: all else that we send here (UNSUBSCRIBE, PING) is not
 * refused; where it is, no SUBSCRIBE must count as answered. */
static bool on_subscribe_error(struct redis_link *l, struct span error)
{
	char quoted[WHY_BYTES];
	uint64_t partition;

	l->errors++;
	if (redis_link_is_stray(error)) {
		if (fifo_pop(&l->subscribes, &partition) && partition != REDIS_LINK_NOBODY)
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
		log_info("the slot of partition %u has left %s", partition, l->subscriber.at);
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
	if (redis_link_has(l, (unsigned)partition))
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
			redis_subscriber_lost(l, why);
		else
			subscriber_ready(l);
	} else if (!take_subscriber_reply(l, r) && l->subscriber.up) {
		redis_subscriber_lost(l, "an answer that nobody asked for");
	}
}

static bool on_subscriber_drained(void *arg)
{
	struct redis_link *l = arg;
	return l->ops->drained(l->arg);
}

const struct redis_conn_ops redis_subscriber_ops = {
	.up = on_subscriber_up,
	.reply = on_subscriber_reply,
	.drained = on_subscriber_drained,
	.down = on_subscriber_down,
};

static bool send_to_subscriber(struct redis_link *l, const char *word, struct span argument)
{
	const char *argv[] = {word, argument.at};
	const size_t lens[] = {strlen(word), argument.len};

	if (redis_half_send(&l->subscriber, 2, argv, lens) == 0)
		return true;
	redis_subscriber_lost(l, "out of memory");
	return false;
}

bool redis_link_subscribe(struct redis_link *l, unsigned partition, struct span channel)
{
	if (!l->subscriber.up || !redis_link_has(l, partition))
		return false;
	if (fifo_push(&l->subscribes, partition) != 0) {
		redis_subscriber_lost(l, "out of memory");
		return false;
	}
	return send_to_subscriber(l, l->config.partitions ? "SSUBSCRIBE" : "SUBSCRIBE", channel);
}

void redis_link_unsubscribe(struct redis_link *l, unsigned partition, struct span channel)
{
	bool sharded = l->config.partitions > 0;

	if (!l->subscriber.up || !redis_link_has(l, partition))
		return;
	if (sharded && fifo_push(&l->unsubscribes, keyed_hash(0, channel.at, channel.len)) != 0)
		redis_subscriber_lost(l, "out of memory");
	else
		send_to_subscriber(l, sharded ? "SUNSUBSCRIBE" : "UNSUBSCRIBE", channel);
}

void redis_link_barrier(struct redis_link *l, unsigned partition, uint64_t number)
{
	char text[2 * NUM_U64_DIGITS + 1];
	size_t len = num_format_u64(partition, text);

	text[len++] = ':';
	len += num_format_u64(number, text + len);
	if (l->subscriber.up && redis_link_has(l, partition))
		send_to_subscriber(l, "PING", (struct span){text, len});
}
