/* redis_cluster: see redis_cluster.h. Owns the links and the map. The map is taken from any node
 * over a short connection of its own (the scout): at the start, every few seconds, and whenever
 * something does not fit: a node that is lost, a slot that has left one, a redirection. A link
 * tells what happens to its partitions by itself; here they are only given to it and taken away. */
#include "streamer/redis_cluster.h"

#include <ev.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/cluster_map.h"
#include "common/log.h"
#include "common/partition.h"
#include "common/redis_address.h"
#include "common/redis_login.h"
#include "streamer/jitter.h"
#include "streamer/redis_conn.h"
#include "streamer/redis_link.h"

#define MAP_BYTES      ((size_t)8 * 1024 * 1024)
#define LOOK_SOON_MS   30   /* after something that did not fit */
#define LOOK_AGAIN_MS  1000 /* the longest pause while something does not fit */
#define LOOK_ALWAYS_MS 5000

struct node {
	struct redis_cluster *all;
	struct node *next;
	struct redis_address at;
	struct redis_link *link;
};

struct redis_cluster {
	struct ev_loop *loop;
	struct redis_link_config config; /* of each link */
	const struct redis_ops *ops;
	void *arg;
	struct node *nodes;
	ev_timer look; /* the next look at the map; while the scout is out: how long it may take */
	unsigned pause_ms;
	struct redis_conn *scout; /* NULL: at home */
	char scout_host[REDIS_HOST_BYTES];
	uint16_t scout_port;
	unsigned turn;     /* whom the scout asks next */
	unsigned failures; /* in a row */
	bool complained;   /* nobody told the map */
	unsigned homeless; /* partitions that no node serves, by the last map */
	uint64_t questions, reconnects, errors; /* of links that are gone, and our own errors */
	unsigned n;                             /* partitions */
	struct {
		unsigned slot;
		struct node *node; /* NULL: nobody serves it */
	} partitions[];
};

/* ---- when to look ---- */

static void look_within(struct redis_cluster *c, unsigned ms)
{
	double due = ms / 1000.;

	if (c->scout || (ev_is_active(&c->look) && ev_timer_remaining(c->loop, &c->look) <= due))
		return;
	ev_timer_stop(c->loop, &c->look);
	ev_timer_set(&c->look, due, 0.);
	ev_timer_start(c->loop, &c->look);
}

/* Sooner at first, then with growing pauses, for as long as something does not fit. */
static void look_soon(struct redis_cluster *c)
{
	look_within(c, (unsigned)jitter_between(c->pause_ms / 2, c->pause_ms));
}

/* ---- nodes ---- */

static bool where(void *arg, unsigned attempt, struct redis_server *server)
{
	struct node *node = arg;

	(void)attempt;
	*server = (struct redis_server){.host = node->at.host, .port = node->at.port};
	return true;
}

static void on_astray(void *owner, struct redis_link *link, unsigned partition)
{
	struct redis_cluster *c = owner;
	struct node *node = c->partitions[partition].node;

	if (node && node->link == link)
		c->partitions[partition].node = NULL;
	look_soon(c);
}

static void on_lost(void *owner, struct redis_link *link)
{
	(void)link;
	look_soon(owner);
}

static struct node *node_new(struct redis_cluster *c, const struct redis_address *at)
{
	struct redis_link_config config = c->config;
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->all = c;
	node->at = *at;
	config.where_arg = node;
	node->link = redis_link_new(c->loop, &config, c->ops, c->arg);
	if (!node->link) {
		free(node);
		return NULL;
	}
	node->next = c->nodes;
	c->nodes = node;
	return node;
}

static struct node *node_at(struct redis_cluster *c, const struct redis_address *at)
{
	for (struct node *node = c->nodes; node; node = node->next)
		if (redis_address_equal(&node->at, at))
			return node;
	return node_new(c, at);
}

static void node_free(struct redis_cluster *c, struct node *node)
{
	c->questions += redis_link_questions(node->link);
	c->reconnects += redis_link_reconnects(node->link);
	c->errors += redis_link_errors(node->link);
	redis_link_free(node->link);
	free(node);
}

static void free_idle_nodes(struct redis_cluster *c)
{
	struct node **at = &c->nodes, *node;

	while ((node = *at)) {
		if (redis_link_serves(node->link) > 0) {
			at = &node->next;
			continue;
		}
		*at = node->next;
		node_free(c, node);
	}
}

/* ---- the map ---- */

/* Gives the partition to the node that serves its slot. */
static void assign(struct redis_cluster *c, unsigned partition, const struct cluster_map *map)
{
	const struct redis_address *at = cluster_map_owner(map, c->partitions[partition].slot);
	struct node *now = at ? node_at(c, at) : NULL, *before = c->partitions[partition].node;

	if (now == before)
		return;
	c->partitions[partition].node = now;
	if (before)
		redis_link_let_go(before->link, partition);
	if (now)
		redis_link_take(now->link, partition);
}

/* A Cluster that was not made yet, or has lost slots with a master. */
static void tell_homeless(struct redis_cluster *c, unsigned homeless)
{
	if (homeless > 0 && homeless != c->homeless)
		log_warn("no node of the Cluster has the slots of %u of %u partitions", homeless,
			 c->n);
	else if (homeless == 0 && c->homeless > 0)
		log_info("the slots of all partitions are served");
	c->homeless = homeless;
}

static void take_map(struct redis_cluster *c, const struct cluster_map *map)
{
	unsigned homeless = 0;

	for (unsigned p = 0; p < c->n; p++) {
		assign(c, p, map);
		homeless += !c->partitions[p].node;
	}
	tell_homeless(c, homeless);
	free_idle_nodes(c);
}

bool redis_cluster_ready(const struct redis_cluster *c)
{
	for (unsigned p = 0; p < c->n; p++)
		if (!c->partitions[p].node)
			return false;
	for (const struct node *node = c->nodes; node; node = node->next)
		if (!redis_link_ready(node->link))
			return false;
	return true;
}

/* ---- the scout ---- */

static void come_home(struct redis_cluster *c)
{
	redis_conn_free(c->scout);
	c->scout = NULL;
	ev_timer_stop(c->loop, &c->look);
	if (redis_cluster_ready(c)) {
		c->pause_ms = LOOK_SOON_MS;
		look_within(c, LOOK_ALWAYS_MS);
		return;
	}
	c->pause_ms = c->pause_ms * 2 > LOOK_AGAIN_MS ? LOOK_AGAIN_MS : c->pause_ms * 2;
	look_soon(c);
}

static unsigned count_known(const struct redis_cluster *c)
{
	unsigned known = 0;

	for (const struct node *node = c->nodes; node; node = node->next)
		known++;
	return known;
}

/* One that is away is no trouble while others tell. */
static void scout_failed(struct redis_cluster *c, const char *why)
{
	char quoted[256];

	c->errors++;
	if (++c->failures >= count_known(c) + c->config.login->url.n_hosts && !c->complained) {
		log_warn("nobody tells the map of the Cluster; %s:%u: %s", c->scout_host,
			 c->scout_port, log_quote(why, strlen(why), quoted, sizeof(quoted)));
		c->complained = true;
	}
	come_home(c);
}

static void on_scout_up(void *arg)
{
	struct redis_cluster *c = arg;
	const char *argv[] = {"CLUSTER", "SLOTS"};
	const size_t lens[] = {7, 5};

	if (redis_conn_send(c->scout, 2, argv, lens) != 0)
		scout_failed(c, "out of memory");
}

static void on_scout_reply(void *arg, struct redisReply *r)
{
	struct redis_cluster *c = arg;
	struct cluster_map map;

	if (cluster_map_read(r, c->scout_host, &map) != 0) {
		scout_failed(c, r->type == REDIS_REPLY_ERROR ? r->str : "an answer that is none");
		return;
	}
	if (c->complained)
		log_info("the map of the Cluster is known again");
	c->complained = false;
	c->failures = 0;
	take_map(c, &map);
	cluster_map_done(&map);
	come_home(c);
}

static void on_scout_down(void *arg, const char *why)
{
	scout_failed(arg, why);
}

static const struct redis_conn_ops scout_ops = {
	.up = on_scout_up, .reply = on_scout_reply, .down = on_scout_down};

/* The nodes that we know and those of the URL have their turn one after the other. */
static struct redis_server next_to_ask(struct redis_cluster *c)
{
	unsigned known = count_known(c);
	unsigned turn = c->turn++ % (known + (unsigned)c->config.login->url.n_hosts);
	const struct node *node = c->nodes;

	if (turn >= known)
		return redis_url_server(&c->config.login->url, turn - known);
	for (; turn > 0; turn--)
		node = node->next;
	return (struct redis_server){.host = node->at.host, .port = node->at.port};
}

static void send_scout(struct redis_cluster *c)
{
	struct redis_server server = next_to_ask(c);

	snprintf(c->scout_host, sizeof(c->scout_host), "%s", server.host);
	c->scout_port = server.port;
	c->scout = redis_conn_new(c->loop, c->config.login, &server, c->config.timeout_ms,
				  MAP_BYTES, &scout_ops, c);
	ev_timer_set(&c->look, 2. * c->config.timeout_ms / 1000., 0.);
	ev_timer_start(c->loop, &c->look);
}

static void on_look(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct redis_cluster *c = w->data;

	(void)loop, (void)revents;
	if (c->scout)
		scout_failed(c, "no answer in time");
	else
		send_scout(c);
}

/* ---- life ---- */

struct redis_cluster *redis_cluster_new(struct ev_loop *loop,
					const struct redis_link_config *config,
					const struct redis_ops *ops, void *arg)
{
	unsigned n = config->partitions;
	struct redis_cluster *c = calloc(1, sizeof(*c) + n * sizeof(c->partitions[0]));
	char tag[PARTITION_TAG_BYTES];

	if (!c)
		return NULL;
	c->loop = loop;
	c->config = *config;
	c->config.where = where;
	c->config.greeting = REDIS_GREET_ID;
	c->config.astray = on_astray;
	c->config.lost = on_lost;
	c->config.owner = c;
	c->ops = ops;
	c->arg = arg;
	c->n = n;
	c->pause_ms = LOOK_SOON_MS;
	for (unsigned p = 0; p < n; p++)
		c->partitions[p].slot = partition_tag(p, n, tag);
	ev_timer_init(&c->look, on_look, 0., 0.);
	c->look.data = c;
	ev_timer_start(loop, &c->look);
	return c;
}

void redis_cluster_free(struct redis_cluster *c)
{
	if (!c)
		return;
	ev_timer_stop(c->loop, &c->look);
	redis_conn_free(c->scout);
	while (c->nodes) {
		struct node *node = c->nodes;
		c->nodes = node->next;
		redis_link_free(node->link);
		free(node);
	}
	free(c);
}

/* ---- to the partition's node ---- */

static struct redis_link *link_of(const struct redis_cluster *c, unsigned partition)
{
	return c->partitions[partition].node ? c->partitions[partition].node->link : NULL;
}

bool redis_cluster_subscribe(struct redis_cluster *c, unsigned partition, struct span channel)
{
	struct redis_link *link = link_of(c, partition);
	return link && redis_link_subscribe(link, partition, channel);
}

void redis_cluster_unsubscribe(struct redis_cluster *c, unsigned partition, struct span channel)
{
	struct redis_link *link = link_of(c, partition);
	if (link)
		redis_link_unsubscribe(link, partition, channel);
}

bool redis_cluster_ask(struct redis_cluster *c, unsigned partition, const struct log_question *q)
{
	struct redis_link *link = link_of(c, partition);
	return link && redis_link_ask(link, partition, q);
}

void redis_cluster_barrier(struct redis_cluster *c, unsigned partition, uint64_t number)
{
	struct redis_link *link = link_of(c, partition);
	if (link)
		redis_link_barrier(link, partition, number);
}

/* ---- counters ---- */

static uint64_t sum(const struct redis_cluster *c, uint64_t gone,
		    uint64_t (*of)(const struct redis_link *l))
{
	for (const struct node *node = c->nodes; node; node = node->next)
		gone += of(node->link);
	return gone;
}

uint64_t redis_cluster_questions(const struct redis_cluster *c)
{
	return sum(c, c->questions, redis_link_questions);
}

uint64_t redis_cluster_reconnects(const struct redis_cluster *c)
{
	return sum(c, c->reconnects, redis_link_reconnects);
}

uint64_t redis_cluster_errors(const struct redis_cluster *c)
{
	return sum(c, c->errors, redis_link_errors);
}
