/* config: the settings as the streamer uses them: parsed, checked, in its own types. */
#ifndef TIDINGS_STREAMER_CONFIG_H
#define TIDINGS_STREAMER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/endpoint.h"
#include "common/netmask.h"
#include "common/redis_login.h"
#include "streamer/cors.h"

struct settings;

struct config {
	struct redis_login redis;
	unsigned redis_timeout_ms;
	const char *topic_prefix;
	unsigned partitions; /* of a Cluster; 0: there is none */
	size_t max_message_size;

	struct endpoint *listen;
	size_t n_listen;
	bool admin_same; /* metrics on `listen` too */
	struct endpoint admin;
	const char *sse_path;

	unsigned workers; /* 0: auto */
	uint64_t max_connections, max_connections_per_ip;
	size_t max_topics;
	uint64_t max_queue_size, max_queue_bytes;
	int slow_client; /* SLOW_RESUME, … */
	uint64_t spread_ms;
	unsigned heartbeat_seconds;
	bool heartbeat_event;
	uint64_t retry_ms, drain_ms;

	bool auth_public, auth_by_url, auth_by_ticket;
	const char *auth_url;
	bool auth_batch;
	const char *ticket_keys_file, *ticket_cookie; /* cookie: "": none */
	const char *ticket_renew_url;                 /* "": none */
	unsigned auth_timeout_ms;
	unsigned auth_recheck_seconds; /* 0: never */
	size_t auth_max_inflight, auth_max_waiting;
	char **forward_headers;
	size_t n_forward_headers;

	struct cors cors;
	struct netmask *trusted;
	size_t n_trusted;
};

/* Takes checked settings; strings stay borrowed from s, which must live as long as *out. Returns 0,
 * or -1 with one line for people on the log. *out is ended by config_done in both cases. */
int config_read(struct config *out, const struct settings *s);
void config_done(struct config *c);

#endif
