/* cluster_sync: see cluster_sync.h. The map is taken from any node that answers, and taken anew
 * when a node can't be reached or says that the Cluster is down; a slot that has moved is noted by
 * itself. A node's id is asked once for each connection, since another one may have come to its
 * address. Owns nodes and connections. */
#include "publisher/cluster_sync.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cluster_map.h"
#include "common/redis_login.h"

#define WHY_BYTES     512
#define ID_MAX_BYTES  64
#define MOST_NODES    (2 * CLUSTER_MAX_NODES) /* those of the map, and named since then */
#define MOST_HOPS     4 /* redirections at once; then it is a quarrel that takes time to end */
#define SHARE_OF_NODE 4 /* a node that does not answer takes the 4th part of the time left */

#define COMMAND(text)                                                                              \
	(struct span)                                                                              \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}
#define CLUSTER_COMMAND(len, word) COMMAND("*2\r\n$7\r\nCLUSTER\r\n$" #len "\r\n" word "\r\n")

struct node {
	struct redis_address address;
	bool named;  /* by the URL: stays, whatever the map says */
	bool wanted; /* while going through them: still to be kept, or looked at */
	struct redis_sync *link;
	char id[ID_MAX_BYTES + 1]; /* of who is at the other end of the connection; "": not asked */
};

struct cluster_sync {
	const struct redis_login *login;
	struct node **nodes;
	size_t n_nodes;
	struct node *owner[REDIS_SLOTS]; /* NULL: nobody, as far as is known */
	bool stale;                      /* the map has to be taken anew */
	struct node *avoid;              /* it failed: the others are asked first */
	struct node *ask;                /* the next command for ask_slot goes there, once */
	unsigned ask_slot;
	struct node *reached; /* the last one */
	size_t turn;          /* whom of equals the map is asked of first: not always the same, who
				 may be cut off from the others and know nothing new */
	unsigned hops;
	char why[WHY_BYTES];
};

static enum redis_sync_status fail(struct cluster_sync *c, const struct node *node,
				   enum redis_sync_status status, const char *why)
{
	if (node)
		snprintf(c->why, sizeof(c->why), "%s:%u: %s", node->address.host,
			 node->address.port, why);
	else
		snprintf(c->why, sizeof(c->why), "%s", why);
	return status;
}

const char *cluster_sync_why(const struct cluster_sync *c)
{
	return c->why;
}

/* ---- the nodes ---- */

static void free_node(struct node *node)
{
	redis_sync_free(node->link);
	free(node);
}

static struct node *new_node(struct cluster_sync *c, const struct redis_address *at)
{
	struct redis_server server = {.host = at->host, .port = at->port};
	struct node **nodes = realloc(c->nodes, (c->n_nodes + 1) * sizeof(*nodes));
	struct node *node = nodes ? calloc(1, sizeof(*node)) : NULL;

	if (nodes)
		c->nodes = nodes;
	if (!node)
		return NULL;
	node->address = *at;
	node->link = redis_sync_new(c->login, &server);
	if (!node->link) {
		free(node);
		return NULL;
	}
	c->nodes[c->n_nodes++] = node;
	return node;
}

/* The node at that address, a new one when it was not known; NULL when out of memory. */
static struct node *find_node(struct cluster_sync *c, const struct redis_address *at)
{
	for (size_t i = 0; i < c->n_nodes; i++) {
		if (redis_address_equal(&c->nodes[i]->address, at))
			return c->nodes[i];
	}
	return new_node(c, at);
}

struct cluster_sync *cluster_sync_new(const struct redis_login *login)
{
	struct cluster_sync *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->login = login;
	c->stale = true;
	for (size_t i = 0; i < login->url.n_hosts; i++) {
		struct redis_server server = redis_url_server(&login->url, i);
		struct redis_address at;
		struct node *node;

		if (redis_address_make(span_of(server.host), server.port, &at) < 0)
			continue;
		node = find_node(c, &at);
		if (!node) {
			cluster_sync_free(c);
			return NULL;
		}
		node->named = true;
	}
	return c;
}

void cluster_sync_free(struct cluster_sync *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_nodes; i++)
		free_node(c->nodes[i]);
	free(c->nodes);
	free(c);
}

static bool id_valid(const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_STRING || reply->len == 0 || reply->len > ID_MAX_BYTES)
		return false;
	return strspn(reply->str, "0123456789abcdef") == reply->len;
}

/* An error that passes leaves the node out for now; any other one is for people. */
static enum redis_sync_status refuse(struct cluster_sync *c, const struct node *node,
				     const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ERROR)
		return fail(c, node, REDIS_SYNC_UNREACHABLE, "an answer that is none");
	if (place_declines(reply->str))
		return fail(c, node, REDIS_SYNC_UNREACHABLE, reply->str);
	return fail(c, NULL, REDIS_SYNC_REFUSED, reply->str);
}

/* Connects, and asks who it is. */
static enum redis_sync_status meet(struct cluster_sync *c, struct node *node, int64_t deadline)
{
	enum redis_sync_status status;
	redisReply *reply;

	status = redis_sync_call(node->link, CLUSTER_COMMAND(4, "MYID"), deadline, &reply);
	if (status == REDIS_SYNC_REFUSED)
		return fail(c, NULL, status, redis_sync_why(node->link));
	if (status != REDIS_SYNC_OK)
		return fail(c, node, status, redis_sync_why(node->link));
	if (id_valid(reply))
		memcpy(node->id, reply->str, reply->len + 1);
	else
		status = refuse(c, node, reply);
	freeReplyObject(reply);
	return status;
}

/* A question to a node itself, once more when the connection had ended meanwhile. */
static enum redis_sync_status ask_node(struct cluster_sync *c, struct node *node,
				       struct span question, int64_t deadline, redisReply **reply)
{
	enum redis_sync_status status = REDIS_SYNC_OK;

	for (int tries = 0; tries < 2; tries++) {
		if (!*node->id && (status = meet(c, node, deadline)) != REDIS_SYNC_OK)
			return status;
		status = redis_sync_call_linked(node->link, question, deadline, reply);
		if (status == REDIS_SYNC_OK)
			return status;
		*node->id = '\0';
		fail(c, node, status, redis_sync_why(node->link));
		if (status != REDIS_SYNC_BROKEN)
			break;
	}
	return status;
}

/* ---- the map ---- */

/* Forgets the nodes that the map does not name. */
static void drop_unwanted(struct cluster_sync *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n_nodes; i++) {
		if (c->nodes[i]->wanted || c->nodes[i]->named)
			c->nodes[kept++] = c->nodes[i];
		else
			free_node(c->nodes[i]);
	}
	c->n_nodes = kept;
}

static enum redis_sync_status take_over(struct cluster_sync *c, const struct cluster_map *m)
{
	struct node *nodes[CLUSTER_MAX_NODES];

	for (size_t i = 0; i < m->n_nodes; i++) {
		nodes[i] = find_node(c, &m->nodes[i]);
		if (!nodes[i])
			return fail(c, NULL, REDIS_SYNC_NOMEM, "out of memory");
	}
	for (size_t i = 0; i < c->n_nodes; i++)
		c->nodes[i]->wanted = false;
	for (size_t i = 0; i < m->n_nodes; i++)
		nodes[i]->wanted = true;
	for (unsigned slot = 0; slot < REDIS_SLOTS; slot++)
		c->owner[slot] = m->owner[slot] ? nodes[m->owner[slot] - 1] : NULL;
	c->ask = c->avoid = c->reached = NULL;
	c->stale = false;
	drop_unwanted(c);
	return REDIS_SYNC_OK;
}

static enum redis_sync_status take_map_from(struct cluster_sync *c, struct node *node,
					    int64_t deadline)
{
	enum redis_sync_status status;
	struct cluster_map map;
	redisReply *reply;
	int rc;

	status = ask_node(c, node, CLUSTER_COMMAND(5, "SLOTS"), deadline, &reply);
	if (status != REDIS_SYNC_OK)
		return status;
	rc = cluster_map_read(reply, node->address.host, &map);
	if (rc == 0) {
		status = take_over(c, &map);
		cluster_map_done(&map);
	} else if (rc == -ENOMEM) {
		status = fail(c, NULL, REDIS_SYNC_NOMEM, "out of memory");
	} else {
		status = refuse(c, node, reply);
	}
	freeReplyObject(reply);
	return status;
}

static int64_t share(int64_t deadline)
{
	int64_t now = redis_sync_now();

	return deadline > now ? now + 1 + (deadline - now) / SHARE_OF_NODE : deadline;
}

/* How gladly a node is asked for the map: those that we are connected to first, the one that failed
 * last. */
static int rank_of(const struct cluster_sync *c, const struct node *node)
{
	if (node == c->avoid)
		return 2;
	return *node->id ? 0 : 1;
}

static enum redis_sync_status take_map(struct cluster_sync *c, int64_t deadline)
{
	enum redis_sync_status status = fail(c, NULL, REDIS_SYNC_UNREACHABLE, "no node is known");

	c->turn++;
	for (int rank = 0; rank <= 2; rank++) {
		for (size_t i = 0; i < c->n_nodes; i++) {
			struct node *node = c->nodes[(c->turn + i) % c->n_nodes];

			if (rank_of(c, node) != rank)
				continue;
			status = take_map_from(c, node, share(deadline));
			if (status == REDIS_SYNC_OK || status == REDIS_SYNC_NOMEM)
				return status;
		}
	}
	return status;
}

/* ---- commands ---- */

static void suspect(struct cluster_sync *c, struct node *node)
{
	c->stale = true;
	c->avoid = node;
}

/* Who gets a command for the slot; NULL when that is not known. */
static struct node *choose(struct cluster_sync *c, unsigned slot, bool *asking)
{
	struct node *node = c->owner[slot];

	*asking = c->ask && c->ask_slot == slot;
	if (*asking)
		node = c->ask;
	c->ask = NULL;
	return node;
}

enum redis_sync_status cluster_sync_reach(struct cluster_sync *c, unsigned slot, int64_t deadline,
					  struct place *out)
{
	enum redis_sync_status status = REDIS_SYNC_OK;
	struct node *node;
	bool asking;

	if (c->stale && (status = take_map(c, deadline)) != REDIS_SYNC_OK)
		return status;
	c->reached = node = choose(c, slot, &asking);
	if (!node) {
		c->stale = true;
		return fail(c, NULL, REDIS_SYNC_UNREACHABLE, "CLUSTERDOWN no node has the slot");
	}
	if (!*node->id)
		status = meet(c, node, share(deadline));
	if (status != REDIS_SYNC_OK)
		suspect(c, node);
	else
		*out = (struct place){.link = node->link, .name = node->id, .asking = asking};
	return status;
}

/* A slot is somewhere else, or on its way there. */
static enum place_verdict follow(struct cluster_sync *c, const struct cluster_redirect *to)
{
	struct node *node = c->n_nodes < MOST_NODES ? find_node(c, &to->to) : NULL;

	if (!node) {
		c->stale = true;
		return PLACE_LATER;
	}
	if (to->kind == CLUSTER_MOVED) {
		c->owner[to->slot] = node;
	} else {
		c->ask = node;
		c->ask_slot = to->slot;
	}
	if (++c->hops <= MOST_HOPS)
		return PLACE_NEXT;
	c->hops = 0;
	return PLACE_LATER;
}

static bool says(const redisReply *reply, const char *word)
{
	return strncmp(reply->str, word, strlen(word)) == 0;
}

static enum place_verdict judge_error(struct cluster_sync *c, struct node *node,
				      const redisReply *reply)
{
	struct cluster_redirect to;

	if (cluster_redirect_read(reply->str, reply->len, node->address.host, &to) == 0)
		return follow(c, &to);
	c->hops = 0;
	if (says(reply, "TRYAGAIN "))
		return PLACE_LATER;
	if (says(reply, "CLUSTERDOWN ") || says(reply, "MOVED ") || says(reply, "ASK ") ||
	    place_declines(reply->str)) {
		suspect(c, node);
		return PLACE_LATER;
	}
	return PLACE_ANSWERED;
}

enum place_verdict cluster_sync_judge(struct cluster_sync *c, enum redis_sync_status status,
				      const struct redisReply *reply)
{
	struct node *node = c->reached;

	if (status == REDIS_SYNC_OK && reply->type == REDIS_REPLY_ERROR)
		return judge_error(c, node, reply);
	c->hops = 0;
	if (status == REDIS_SYNC_OK || status == REDIS_SYNC_NOMEM)
		return PLACE_ANSWERED;
	fail(c, node, status, redis_sync_why(node->link));
	*node->id = '\0';
	if (status != REDIS_SYNC_BROKEN) /* a broken connection may be made again */
		suspect(c, node);
	return PLACE_NEXT;
}

/* ---- health ---- */

static enum redis_sync_status check_node(struct cluster_sync *c, struct node *node,
					 int64_t deadline)
{
	enum redis_sync_status status;
	redisReply *reply;

	status = ask_node(c, node, CLUSTER_COMMAND(4, "INFO"), deadline, &reply);
	if (status != REDIS_SYNC_OK)
		return status;
	if (reply->type != REDIS_REPLY_STRING)
		status = refuse(c, node, reply);
	else if (!strstr(reply->str, "cluster_state:ok"))
		status = fail(c, NULL, REDIS_SYNC_REFUSED, "CLUSTERDOWN cluster_state is not ok");
	freeReplyObject(reply);
	return status;
}

enum redis_sync_status cluster_sync_check(struct cluster_sync *c, const unsigned *slots, size_t n,
					  int64_t deadline)
{
	enum redis_sync_status status = take_map(c, deadline);

	for (size_t i = 0; status == REDIS_SYNC_OK && i < c->n_nodes; i++)
		c->nodes[i]->wanted = true;
	for (size_t i = 0; status == REDIS_SYNC_OK && i < n; i++) {
		struct node *node = c->owner[slots[i]];

		if (!node)
			return fail(c, NULL, REDIS_SYNC_REFUSED,
				    "CLUSTERDOWN no node has the slot of a partition");
		if (node->wanted)
			status = check_node(c, node, share(deadline));
		node->wanted = false;
	}
	return status;
}
