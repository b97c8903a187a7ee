/* streams_redis: joins streams.c and the links to Redis, which do not know each other: what the
 * streams want goes down, what Redis says comes up. Owns the link, or the Cluster's; and what finds
 * the master where Sentinel does. */
#include "streamer/streams_redis.h"

#include <stdlib.h>
#include "common/redis_login.h"
#include "streamer/arrival.h"
#include "streamer/clock.h"
#include "streamer/fan_out.h"
#include "streamer/redis_cluster.h"
#include "streamer/redis_link.h"
#include "streamer/rounds.h"
#include "streamer/sentinel.h"
#include "streamer/streams.h"

#define HEED_SECONDS                                                                               \
	2. /* sentinels that name one who is no master are not followed all the time               \
	    */

#define LISTENERS_A_TURN                                                                           \
	1000 /* when that many were served, accepting and heartbeats have their turn */

struct streams_redis {
	struct streams *streams;
	const struct redis_url *url;
	struct redis_cluster *cluster; /* or: */
	struct redis_link *link;
	struct sentinel *sentinel; /* NULL: the link's server is the URL's */
	double heed_at;            /* from then on it may send the link elsewhere */
};

/* ---- up: arg is the streams. Messages are collected; before anything else they go out ---- */

static struct partition *partition_of_number(void *arg, unsigned number)
{
	struct streams *all = arg;
	return &all->partitions[number];
}

static void on_connected(void *arg, unsigned partition, const char *server)
{
	fan_out(arg);
	streams_connected(partition_of_number(arg, partition), server);
}

static void on_disconnected(void *arg, unsigned partition)
{
	fan_out(arg);
	streams_disconnected(partition_of_number(arg, partition));
}

static void on_subscribed(void *arg, unsigned partition, bool refused)
{
	fan_out(arg);
	streams_subscribed(partition_of_number(arg, partition), refused);
}

static void on_message(void *arg, unsigned partition, struct span channel, struct span payload)
{
	arrival_message(partition_of_number(arg, partition), channel, payload);
}

static bool on_drained(void *arg)
{
	return fan_out(arg) < LISTENERS_A_TURN;
}

static void on_answer(void *arg, unsigned partition, const struct log_answer *answer)
{
	fan_out(arg);
	rounds_answer(partition_of_number(arg, partition), answer);
}

static void on_may_ask(void *arg, unsigned partition)
{
	fan_out(arg);
	streams_may_ask(partition_of_number(arg, partition));
}

static void on_barrier(void *arg, unsigned partition, uint64_t number)
{
	fan_out(arg);
	rounds_barrier(partition_of_number(arg, partition), number);
}

static const struct redis_ops redis_ops = {
	.connected = on_connected,
	.disconnected = on_disconnected,
	.subscribed = on_subscribed,
	.message = on_message,
	.drained = on_drained,
	.answer = on_answer,
	.may_ask = on_may_ask,
	.barrier = on_barrier,
};

/* ---- down: arg is the streams_redis ---- */

static bool subscribe(void *arg, unsigned partition, struct span channel)
{
	struct streams_redis *r = arg;
	return r->cluster ? redis_cluster_subscribe(r->cluster, partition, channel)
			  : r->link && redis_link_subscribe(r->link, partition, channel);
}

static void unsubscribe(void *arg, unsigned partition, struct span channel)
{
	struct streams_redis *r = arg;

	if (r->cluster)
		redis_cluster_unsubscribe(r->cluster, partition, channel);
	else if (r->link)
		redis_link_unsubscribe(r->link, partition, channel);
}

static bool ask(void *arg, unsigned partition, const struct log_question *q)
{
	struct streams_redis *r = arg;
	return r->cluster ? redis_cluster_ask(r->cluster, partition, q)
			  : r->link && redis_link_ask(r->link, partition, q);
}

static void barrier(void *arg, unsigned partition, uint64_t number)
{
	struct streams_redis *r = arg;

	if (r->cluster)
		redis_cluster_barrier(r->cluster, partition, number);
	else if (r->link)
		redis_link_barrier(r->link, partition, number);
}

static const struct streams_ops streams_ops = {
	.subscribe = subscribe,
	.unsubscribe = unsubscribe,
	.ask = ask,
	.barrier = barrier,
};

/* ---- where the server is ---- */

static bool where_url_says(void *arg, unsigned attempt, struct redis_server *server)
{
	struct streams_redis *r = arg;

	(void)attempt;
	*server = redis_url_server(r->url, 0);
	return true;
}

static bool where_sentinel_says(void *arg, unsigned attempt, struct redis_server *server)
{
	struct streams_redis *r = arg;
	return sentinel_where(r->sentinel, attempt, server);
}

/* A master that was replaced may not know it yet, and go on taking writes that will be lost. */
static void on_sentinel_news(void *arg)
{
	struct streams_redis *r = arg;

	if (!r->link || clock_seconds() < r->heed_at ||
	    !sentinel_contradicts(r->sentinel, redis_link_server(r->link)))
		return;
	r->heed_at = clock_seconds() + HEED_SECONDS;
	redis_link_reconnect(r->link, "Sentinel names another master");
}

/* ---- life ---- */

static int connect_one(struct streams_redis *r, struct ev_loop *loop,
		       struct redis_link_config *config)
{
	bool sentinel = r->url->kind == REDIS_SENTINEL;

	if (sentinel)
		r->sentinel =
			sentinel_new(loop, config->login, config->timeout_ms, on_sentinel_news, r);
	if (sentinel && !r->sentinel)
		return -1;
	config->where = sentinel ? where_sentinel_says : where_url_says;
	config->where_arg = r;
	config->greeting = sentinel ? REDIS_GREET_ROLE : REDIS_GREET_NOT;
	r->link = redis_link_new(loop, config, &redis_ops, r->streams);
	return r->link ? redis_link_take(r->link, 0) : -1;
}

struct streams_redis *streams_redis_new(struct ev_loop *loop, const struct redis_link_config *given,
					struct streams *streams)
{
	struct streams_redis *r = calloc(1, sizeof(*r));
	struct redis_link_config config = *given;

	if (!r)
		return NULL;
	r->streams = streams;
	r->url = &given->login->url;
	streams->ops = &streams_ops;
	streams->arg = r;
	if (r->url->kind == REDIS_CLUSTER)
		r->cluster = redis_cluster_new(loop, &config, &redis_ops, streams);
	else
		connect_one(r, loop, &config);
	if (r->cluster || r->link)
		return r;
	streams_redis_free(r);
	return NULL;
}

void streams_redis_free(struct streams_redis *r)
{
	if (!r)
		return;
	redis_cluster_free(r->cluster);
	redis_link_free(r->link);
	sentinel_free(r->sentinel);
	free(r);
}

bool streams_redis_ready(const struct streams_redis *r)
{
	return r->cluster ? redis_cluster_ready(r->cluster) : redis_link_ready(r->link);
}

uint64_t streams_redis_questions(const struct streams_redis *r)
{
	return r->cluster ? redis_cluster_questions(r->cluster) : redis_link_questions(r->link);
}

uint64_t streams_redis_reconnects(const struct streams_redis *r)
{
	return r->cluster ? redis_cluster_reconnects(r->cluster) : redis_link_reconnects(r->link);
}

uint64_t streams_redis_errors(const struct streams_redis *r)
{
	return r->cluster ? redis_cluster_errors(r->cluster) : redis_link_errors(r->link);
}
