/* redis_cluster: the nodes of a Redis Cluster as the streamer needs them: a link to each master
 * that serves one of our partitions, and the map that says which. */
#ifndef TIDINGS_STREAMER_REDIS_CLUSTER_H
#define TIDINGS_STREAMER_REDIS_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>
#include "common/span.h"
#include "streamer/redis_ops.h"

struct ev_loop;
struct log_question;
struct redis_cluster;
struct redis_link_config;

/* config: login's URL is of kind REDIS_CLUSTER, partitions is not 0; where, greeting and what
 * follows are not looked at. NULL when out of memory. */
struct redis_cluster *redis_cluster_new(struct ev_loop *loop,
					const struct redis_link_config *config,
					const struct redis_ops *ops, void *arg);
void redis_cluster_free(struct redis_cluster *c);

/* Every partition has a node, and all of these are ready. */
bool redis_cluster_ready(const struct redis_cluster *c);

/* As those of redis_link.h, each at the partition's node. */
bool redis_cluster_subscribe(struct redis_cluster *c, unsigned partition, struct span channel);
void redis_cluster_unsubscribe(struct redis_cluster *c, unsigned partition, struct span channel);
bool redis_cluster_ask(struct redis_cluster *c, unsigned partition, const struct log_question *q);
void redis_cluster_barrier(struct redis_cluster *c, unsigned partition, uint64_t number);

uint64_t redis_cluster_questions(const struct redis_cluster *c);
uint64_t redis_cluster_reconnects(const struct redis_cluster *c);
uint64_t redis_cluster_errors(const struct redis_cluster *c);

#endif
