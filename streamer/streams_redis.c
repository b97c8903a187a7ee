/* streams_redis: joins streams.c and redis_link.c, which do not know each other: what the streams
 * want goes down, what Redis says comes up. */
#include "streamer/streams_redis.h"

#include "streamer/delivery.h"
#include "streamer/rounds.h"
#include "streamer/streams.h"

/* ---- down: arg is the link ---- */

static uint64_t on_subscribe(void *arg, struct span channel)
{
	return redis_link_subscribe(arg, channel);
}

static void on_unsubscribe(void *arg, struct span channel)
{
	redis_link_unsubscribe(arg, channel);
}

static bool on_ask(void *arg, const struct log_question *q)
{
	return redis_link_ask(arg, q);
}

static void on_barrier(void *arg, uint64_t number)
{
	redis_link_barrier(arg, number);
}

static const struct streams_ops streams_ops = {
	.subscribe = on_subscribe,
	.unsubscribe = on_unsubscribe,
	.ask = on_ask,
	.barrier = on_barrier,
};

/* ---- up: arg is the streams ---- */

static void on_redis_up(void *arg)
{
	streams_connected(arg);
}

static void on_redis_down(void *arg)
{
	streams_disconnected(arg);
}

static void on_redis_confirmed(void *arg, uint64_t sequence)
{
	streams_confirmed(arg, sequence);
}

static void on_redis_refused(void *arg, uint64_t sequence)
{
	streams_refused(arg, sequence);
}

static void on_redis_message(void *arg, struct span channel, struct span payload)
{
	delivery_message(arg, channel, payload);
}

static void on_redis_answer(void *arg, const struct log_answer *answer)
{
	rounds_answer(arg, answer);
}

static void on_redis_barrier(void *arg, uint64_t number)
{
	rounds_barrier(arg, number);
}

static void on_redis_asking_up(void *arg)
{
	streams_may_ask(arg);
}

static const struct redis_link_ops redis_ops = {
	.subscriber_up = on_redis_up,
	.subscriber_down = on_redis_down,
	.confirmed = on_redis_confirmed,
	.refused = on_redis_refused,
	.message = on_redis_message,
	.answer = on_redis_answer,
	.asking_up = on_redis_asking_up,
	.barrier = on_redis_barrier,
};

struct redis_link *streams_redis_new(struct ev_loop *loop, const struct redis_link_config *config,
				     struct streams *streams)
{
	struct redis_link *link = redis_link_new(loop, config, &redis_ops, streams);
	streams->ops = &streams_ops;
	streams->arg = link;
	return link;
}
