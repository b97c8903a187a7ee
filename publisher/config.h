/* config: what of the settings concerns publish. */
#ifndef TIDINGS_PUBLISHER_CONFIG_H
#define TIDINGS_PUBLISHER_CONFIG_H

#include <stdint.h>
#include "publisher/handle.h"

struct redis_login;
struct settings;

struct config {
	struct handle_config handle;
	const char *tokens_file; /* NULL: none is needed */
	const struct redis_login *redis;
	uint64_t redis_timeout_ms; /* for all of one append */
	const char *topic_prefix;
	uint64_t history_size, history_seconds;
	uint64_t rate_limit;    /* events a second, of all publishers; 0: none */
	uint64_t wait_replicas; /* that must have an event before it is answered */
	unsigned partitions;    /* of a Cluster */
};

/* Strings are borrowed from s, which was checked, and so is login. */
void config_read(const struct settings *s, const struct redis_login *login, struct config *out);

#endif
