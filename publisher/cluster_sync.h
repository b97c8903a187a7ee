/* cluster_sync: the nodes of a Redis Cluster: which has which slot, and a connection to each that
 * was needed. */
#ifndef TIDINGS_PUBLISHER_CLUSTER_SYNC_H
#define TIDINGS_PUBLISHER_CLUSTER_SYNC_H

#include <stddef.h>
#include <stdint.h>
#include "publisher/place.h"
#include "publisher/redis_sync.h"

struct cluster_sync;
struct redis_login;
struct redisReply;

/* login is borrowed; the hosts of its URL are asked for the others. Connects to nothing yet. NULL
 * when out of memory. */
struct cluster_sync *cluster_sync_new(const struct redis_login *login);
void cluster_sync_free(struct cluster_sync *c);

/* Gives the node that has the slot, as far as is known; asks other nodes who has it when that is
 * not known, or turned out wrong. Takes a part of the time that is left, and not all of it, when a
 * node does not answer. *out is good until the next call. */
enum redis_sync_status cluster_sync_reach(struct cluster_sync *c, unsigned slot, int64_t deadline,
					  struct place *out);

/* What came of a command at the place that was reached last; reply: with REDIS_SYNC_OK. */
enum place_verdict cluster_sync_judge(struct cluster_sync *c, enum redis_sync_status status,
				      const struct redisReply *reply);

/* Does the node of each of these slots answer, and is the Cluster well by all of them? REFUSED,
 * with an error's words, when it is not. */
enum redis_sync_status cluster_sync_check(struct cluster_sync *c, const unsigned *slots, size_t n,
					  int64_t deadline);

/* After a call that failed: what happened; good until the next one. */
const char *cluster_sync_why(const struct cluster_sync *c);

#endif
