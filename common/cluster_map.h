/* cluster_map: which node of a Redis Cluster has which slot, by what its nodes say: CLUSTER SLOTS,
 * MOVED, ASK. What they say comes from outside: a wrong word is refused, never followed. */
#ifndef TIDINGS_COMMON_CLUSTER_MAP_H
#define TIDINGS_COMMON_CLUSTER_MAP_H

#include <stddef.h>
#include <stdint.h>
#include "common/partition.h"
#include "common/redis_address.h"

struct redisReply;

#define CLUSTER_MAX_NODES 1024

struct cluster_map {
	struct redis_address *nodes; /* masters with slots, each once */
	size_t n_nodes;
	uint16_t owner[REDIS_SLOTS]; /* number of the slot's node, from 1; 0: nobody serves it */
};

/* Reads the answer to CLUSTER SLOTS. asked: the host that gave it, which stands for a host that it
 * leaves open. A range whose node can't be reached by what is said ("?", port 0) has none. Returns
 * 0, -EPROTO, -ENOMEM; *out is written on success alone and ended by cluster_map_done. */
int cluster_map_read(const struct redisReply *reply, const char *asked, struct cluster_map *out);
void cluster_map_done(struct cluster_map *m);

/* NULL when nobody serves the slot. */
const struct redis_address *cluster_map_owner(const struct cluster_map *m, unsigned slot);

enum cluster_redirect_kind {
	CLUSTER_MOVED, /* the slot is there */
	CLUSTER_ASK,   /* this one command goes there, behind ASKING */
};

struct cluster_redirect {
	enum cluster_redirect_kind kind;
	unsigned slot;
	struct redis_address to;
};

/* Reads `MOVED 3999 127.0.0.1:6381` or `ASK ...`; asked as above. Returns 0, or -EINVAL when the
 * error says something else. */
int cluster_redirect_read(const char *error, size_t len, const char *asked,
			  struct cluster_redirect *out);

#endif
