/* config: from settings to the streamer's own types. What a value may be was decided by
 * common/settings; an error here means that memory is out. */
#include "streamer/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/log.h"
#include "common/settings.h"

#define ITEM_BYTES 1024

static int read_listen(struct config *c, const struct settings *s)
{
	char item[ITEM_BYTES];
	const char *why;

	c->n_listen = settings_list_count(s, SET_LISTEN);
	c->listen = calloc(c->n_listen + 1, sizeof(*c->listen));
	if (!c->listen)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_listen; i++) {
		int len = settings_list_item(s, SET_LISTEN, i, item, sizeof(item));
		if (len < 0 || endpoint_parse(item, (size_t)len, &c->listen[i], &why) != 0)
			return -EINVAL;
	}
	const char *admin = settings_text(s, SET_ADMIN_LISTEN);
	c->admin_same = strcasecmp(admin, "same") == 0;
	return c->admin_same ? 0 : endpoint_parse(admin, strlen(admin), &c->admin, &why);
}

static int read_trusted(struct config *c, const struct settings *s)
{
	char item[ITEM_BYTES];

	c->n_trusted = settings_list_count(s, SET_TRUSTED_PROXIES);
	c->trusted = calloc(c->n_trusted + 1, sizeof(*c->trusted));
	if (!c->trusted)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_trusted; i++) {
		int len = settings_list_item(s, SET_TRUSTED_PROXIES, i, item, sizeof(item));
		if (len < 0 || netmask_parse(item, (size_t)len, &c->trusted[i]) != 0)
			return -EINVAL;
	}
	return 0;
}

static int read_origins(struct config *c, const struct settings *s)
{
	char item[ITEM_BYTES];

	for (size_t i = 0; i < settings_list_count(s, SET_CORS_ORIGINS); i++) {
		if (settings_list_item(s, SET_CORS_ORIGINS, i, item, sizeof(item)) < 0)
			return -EINVAL;
		if (cors_add(&c->cors, item) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_forward(struct config *c, const struct settings *s)
{
	char item[ITEM_BYTES];
	size_t n = settings_list_count(s, SET_AUTH_FORWARD_HEADERS);

	c->forward_headers = calloc(n + 1, sizeof(*c->forward_headers));
	if (!c->forward_headers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (settings_list_item(s, SET_AUTH_FORWARD_HEADERS, i, item, sizeof(item)) < 0)
			return -EINVAL;
		c->forward_headers[i] = strdup(item);
		if (!c->forward_headers[i])
			return -ENOMEM;
		c->n_forward_headers++;
	}
	return 0;
}

static void read_plain(struct config *c, const struct settings *s)
{
	c->redis_timeout_ms = (unsigned)settings_number(s, SET_REDIS_TIMEOUT_MS);
	c->topic_prefix = settings_text(s, SET_TOPIC_PREFIX);
	c->max_message_size = (size_t)settings_number(s, SET_MAX_MESSAGE_SIZE);
	c->sse_path = settings_text(s, SET_SSE_PATH);
	if (!settings_is_auto(s, SET_WORKERS))
		c->workers = (unsigned)settings_number(s, SET_WORKERS);
	c->max_connections = settings_number(s, SET_MAX_CONNECTIONS);
	c->max_connections_per_ip = settings_number(s, SET_MAX_CONNECTIONS_PER_IP);
	c->max_topics = (size_t)settings_number(s, SET_MAX_TOPICS);
	c->max_queue_size = settings_number(s, SET_MAX_QUEUE_SIZE);
	c->max_queue_bytes = settings_number(s, SET_MAX_QUEUE_BYTES);
	c->slow_client = (int)settings_word(s, SET_SLOW_CLIENT);
	c->spread_ms = settings_number(s, SET_SPREAD_MS);
	c->heartbeat_seconds = (unsigned)settings_number(s, SET_HEARTBEAT_SECONDS);
	c->heartbeat_event = settings_word(s, SET_HEARTBEAT) == HEARTBEAT_EVENT;
	c->retry_ms = settings_number(s, SET_RETRY_MS);
	c->drain_ms = settings_number(s, SET_DRAIN_SECONDS) * 1000;
	c->auth_public = settings_words(s, SET_AUTH) & AUTH_PUBLIC;
	c->auth_by_url = settings_words(s, SET_AUTH) & AUTH_URL;
	c->auth_by_ticket = settings_words(s, SET_AUTH) & AUTH_TICKET;
	c->ticket_keys_file = settings_text(s, SET_TICKET_KEYS_FILE);
	c->ticket_cookie = settings_text(s, SET_TICKET_COOKIE);
	c->ticket_renew_url = settings_text(s, SET_TICKET_RENEW_URL);
	c->auth_url = settings_text(s, SET_AUTH_URL);
	c->auth_batch = settings_word(s, SET_AUTH_MODE) == AUTH_MODE_BATCH;
	c->auth_timeout_ms = (unsigned)settings_number(s, SET_AUTH_TIMEOUT_MS);
	c->auth_max_inflight = (size_t)settings_number(s, SET_AUTH_MAX_INFLIGHT);
	c->auth_recheck_seconds = (unsigned)settings_number(s, SET_AUTH_RECHECK_SECONDS);
	c->auth_max_waiting = (size_t)settings_number(s, SET_AUTH_MAX_WAITING);
}

/* Elsewhere than on a Cluster there is one order of ids. */
static int read_partitions(struct config *c, const struct settings *s)
{
	if (c->redis.url.kind == REDIS_CLUSTER)
		c->partitions = (unsigned)settings_number(s, SET_PARTITIONS);
	return 0;
}

int config_read(struct config *out, const struct settings *s)
{
	char error[SETTINGS_ERROR_BYTES] = "out of memory";

	memset(out, 0, sizeof(*out));
	read_plain(out, s);
	if (redis_login_init(&out->redis, s, error) == 0 && read_listen(out, s) == 0 &&
	    read_trusted(out, s) == 0 && read_origins(out, s) == 0 && read_forward(out, s) == 0)
		return read_partitions(out, s);
	log_error("cannot use the settings: %s", error);
	return -1;
}

void config_done(struct config *c)
{
	redis_login_done(&c->redis);
	free(c->listen);
	free(c->trusted);
	cors_done(&c->cors);
	for (size_t i = 0; i < c->n_forward_headers; i++)
		free(c->forward_headers[i]);
	free(c->forward_headers);
	memset(c, 0, sizeof(*c));
}
