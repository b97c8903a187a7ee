/* redis_link: keeps a subscriber and an asker connected. Each of them is a redis_half, which sees
 * to the attempts; what is asked there and what it means is known here, in three files: this one
 * has the link's life and its partitions, redis_subscriber.c the subscriptions, redis_asker.c the
 * questions to the logs. */
#include "streamer/redis_link.h"

#include <stdlib.h>
#include <string.h>
#include "common/partition.h"
#include "streamer/redis_conn.h"
#include "streamer/redis_link_inside.h"

/* ---- the partitions ---- */

bool redis_link_has(const struct redis_link *l, unsigned partition)
{
	return l->served[partition];
}

static void forget(struct fifo *f, unsigned partition)
{
	for (size_t i = 0; i < f->count; i++)
		if (*fifo_at(f, i) == partition)
			*fifo_at(f, i) = REDIS_LINK_NOBODY;
}

void redis_link_tell(struct redis_link *l, bool connected)
{
	for (unsigned p = 0; p < l->n_partitions; p++) {
		if (!redis_link_has(l, p))
			continue;
		if (connected)
			l->ops->connected(l->arg, p, l->subscriber.server);
		else
			l->ops->disconnected(l->arg, p);
	}
}

int redis_link_take(struct redis_link *l, unsigned partition)
{
	if (redis_link_has(l, partition))
		return 0;
	l->served[partition] = true;
	l->n_served++;
	if (l->subscriber.up)
		l->ops->connected(l->arg, partition, l->subscriber.server);
	if (l->asker.up && redis_link_has(l, partition))
		l->ops->may_ask(l->arg, partition);
	return 0;
}

void redis_link_let_go(struct redis_link *l, unsigned partition)
{
	if (!redis_link_has(l, partition))
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
		redis_subscriber_lost(l, "the other connection is to another server");
	redis_half_hurry(other);
}

void redis_link_reconnect(struct redis_link *l, const char *why)
{
	if (l->subscriber.conn)
		redis_subscriber_lost(l, why);
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
		redis_subscriber_lost(l, "no answer in time");
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
		  &redis_subscriber_ops);
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
