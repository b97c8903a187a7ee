/* cluster_map: see cluster_map.h. Pure: who is asked, when, and what a node that can't be reached
 * means, is decided by its users. hiredis is here for the form of its replies alone. */
#include "common/cluster_map.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/num.h"
#include "common/span.h"

/* A host that is left open is the one that was asked. */
static int read_address(struct span host, const char *asked, uint16_t port,
			struct redis_address *out)
{
	return redis_address_make(host.len > 0 ? host : span_of(asked), port, out);
}

/* ---- CLUSTER SLOTS ---- */

/* What one element says: slots from..to at a node. */
struct range {
	unsigned from, to;
	bool served; /* node says who */
	struct redis_address node;
};

static int read_slot(const redisReply *r, unsigned *out)
{
	if (r->type != REDIS_REPLY_INTEGER || r->integer < 0 || r->integer >= REDIS_SLOTS)
		return -EPROTO;
	*out = (unsigned)r->integer;
	return 0;
}

/* Host (text, or nil), port, and more that does not matter here. */
static int read_node(const redisReply *r, const char *asked, struct range *out)
{
	const redisReply *host, *port;

	if (r->type != REDIS_REPLY_ARRAY || r->elements < 2)
		return -EPROTO;
	host = r->element[0];
	port = r->element[1];
	if ((host->type != REDIS_REPLY_STRING && host->type != REDIS_REPLY_NIL) ||
	    port->type != REDIS_REPLY_INTEGER || port->integer < 0 || port->integer > 65535)
		return -EPROTO;
	struct span name = {host->str, host->type == REDIS_REPLY_NIL ? 0 : host->len};
	if (port->integer == 0 || span_is(name, "?")) /* it does not know where that is */
		return 0;
	if (read_address(name, asked, (uint16_t)port->integer, &out->node) < 0)
		return -EPROTO;
	out->served = true;
	return 0;
}

static int read_range(const redisReply *r, const char *asked, struct range *out)
{
	*out = (struct range){0};
	if (r->type != REDIS_REPLY_ARRAY || r->elements < 3 ||
	    read_slot(r->element[0], &out->from) < 0 || read_slot(r->element[1], &out->to) < 0 ||
	    out->from > out->to)
		return -EPROTO;
	return read_node(r->element[2], asked, out); /* the master; replicas follow */
}

/* The number of that node, from 1; 0 when there are too many. */
static uint16_t number_node(struct cluster_map *m, const struct redis_address *node)
{
	for (size_t i = m->n_nodes; i > 0; i--) {
		if (redis_address_equal(&m->nodes[i - 1], node))
			return (uint16_t)i;
	}
	if (m->n_nodes == CLUSTER_MAX_NODES)
		return 0;
	m->nodes[m->n_nodes++] = *node;
	return (uint16_t)m->n_nodes;
}

static int read_ranges(const redisReply *reply, const char *asked, struct cluster_map *m)
{
	for (size_t i = 0; i < reply->elements; i++) {
		struct range range;
		uint16_t number = 0;

		if (read_range(reply->element[i], asked, &range) < 0)
			return -EPROTO;
		if (range.served && (number = number_node(m, &range.node)) == 0)
			return -EPROTO;
		for (unsigned slot = range.from; slot <= range.to; slot++)
			m->owner[slot] = number;
	}
	return 0;
}

int cluster_map_read(const struct redisReply *reply, const char *asked, struct cluster_map *out)
{
	struct cluster_map m = {0};
	size_t most;
	int rc;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements > REDIS_SLOTS)
		return -EPROTO;
	most = reply->elements < CLUSTER_MAX_NODES ? reply->elements : CLUSTER_MAX_NODES;
	m.nodes = calloc(most + 1, sizeof(*m.nodes));
	if (!m.nodes)
		return -ENOMEM;
	rc = read_ranges(reply, asked, &m);
	if (rc < 0)
		cluster_map_done(&m);
	else
		*out = m;
	return rc;
}

void cluster_map_done(struct cluster_map *m)
{
	free(m->nodes);
	*m = (struct cluster_map){0};
}

const struct redis_address *cluster_map_owner(const struct cluster_map *m, unsigned slot)
{
	uint16_t number = slot < REDIS_SLOTS ? m->owner[slot] : 0;

	return number ? &m->nodes[number - 1] : NULL;
}

/* ---- MOVED, ASK ---- */

/* Takes what stands before the next blank off the text; all of it when there is none. */
static struct span next_word(struct span *text)
{
	const char *blank = text->len ? memchr(text->at, ' ', text->len) : NULL;
	size_t len = blank ? (size_t)(blank - text->at) : text->len, past = blank ? len + 1 : len;
	struct span word = {text->at, len};

	*text = (struct span){text->at + past, text->len - past};
	return word;
}

int cluster_redirect_read(const char *error, size_t len, const char *asked,
			  struct cluster_redirect *out)
{
	struct span text = {error, len}, kind = next_word(&text), slot = next_word(&text);
	struct span where = next_word(&text);
	const char *colon = where.len ? memrchr(where.at, ':', where.len) : NULL;
	struct cluster_redirect r = {.kind = CLUSTER_MOVED};
	uint64_t number, port;

	if (span_is(kind, "ASK"))
		r.kind = CLUSTER_ASK;
	else if (!span_is(kind, "MOVED"))
		return -EINVAL;
	if (!colon || num_parse_u64(slot.at, slot.len, 0, REDIS_SLOTS - 1, &number) < 0)
		return -EINVAL;
	size_t host = (size_t)(colon - where.at);
	if (num_parse_u64(colon + 1, where.len - host - 1, 1, 65535, &port) < 0 ||
	    read_address((struct span){where.at, host}, asked, (uint16_t)port, &r.to) < 0)
		return -EINVAL;
	r.slot = (unsigned)number;
	*out = r;
	return 0;
}
