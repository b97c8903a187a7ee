/* log_plain: stands where publisher/log_redis.c does, so that bench/publish can say what the log
 * costs: the same program, with one plain PUBLISH for each copy of an event and nothing else. Ids
 * come from the clock of the process, nothing is kept, nothing is atomic, nothing is tried twice:
 * what the Python library does. Never installed. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/buf.h"
#include "common/redis_login.h"
#include "common/resp.h"
#include "common/topic.h"
#include "publisher/config.h"
#include "publisher/log.h"
#include "publisher/log_redis.h"
#include "publisher/redis_sync.h"

#define COMMAND_MAX_BYTES (4 * 1024 * 1024)

struct log_redis {
	struct redis_sync *link;
	struct topic_space space;
	const struct config *config;
	uint64_t made; /* ids so far */
};

struct log_redis *log_redis_new(const struct config *config)
{
	struct log_redis *l = calloc(1, sizeof(*l));
	struct redis_server server = redis_url_server(&config->redis->url, 0);

	if (!l)
		return NULL;
	l->config = config;
	topic_space_init(&l->space, config->topic_prefix, "");
	l->link = redis_sync_new(config->redis, &server);
	if (!l->link) {
		log_redis_free(l);
		return NULL;
	}
	return l;
}

void log_redis_free(struct log_redis *l)
{
	if (!l)
		return;
	redis_sync_free(l->link);
	free(l);
}

static struct event_id make_id(struct log_redis *l)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct event_id){(uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000,
				 l->made++ % 1024};
}

static int write_message(const struct event_parts *parts, const char *id, struct buf *b)
{
	int rc = buf_append(b, parts->head.at, parts->head.len);

	if (rc == 0)
		rc = buf_append_str(b, id);
	if (rc == 0)
		rc = buf_append(b, parts->middle.at, parts->middle.len);
	if (rc == 0)
		rc = buf_append_str(b, "0-0");
	return rc < 0 ? rc : buf_append(b, parts->tail.at, parts->tail.len);
}

static int write_publish(const struct topic_space *space, struct span topic,
			 const struct buf *message, struct buf *b)
{
	char channel[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_channel(space, topic, channel);
	int rc = resp_command(b, 3);

	if (rc == 0)
		rc = resp_text(b, "PUBLISH");
	if (rc == 0)
		rc = resp_word(b, (struct span){channel, len});
	return rc < 0 ? rc : resp_word(b, (struct span){message->data, message->len});
}

static bool send_copy(struct log_redis *l, struct span topic, const struct buf *message)
{
	int64_t deadline = redis_sync_now() + (int64_t)l->config->redis_timeout_ms;
	redisReply *reply = NULL;
	struct buf command;
	bool taken = false;

	buf_init(&command, COMMAND_MAX_BYTES);
	if (write_publish(&l->space, topic, message, &command) == 0 &&
	    redis_sync_call(l->link, (struct span){command.data, command.len}, deadline, &reply) ==
		    REDIS_SYNC_OK) {
		taken = reply->type == REDIS_REPLY_INTEGER;
		freeReplyObject(reply);
	}
	buf_done(&command);
	return taken;
}

static bool send_event(struct log_redis *l, const struct publish_log_event *event,
		       struct event_id *id)
{
	char text[EVENT_ID_MAX_BYTES + 1];
	struct buf message;
	bool taken;

	buf_init(&message, COMMAND_MAX_BYTES);
	*id = make_id(l);
	event_id_format(*id, text);
	taken = write_message(&event->parts, text, &message) == 0;
	for (size_t i = 0; taken && i < event->n_topics; i++)
		taken = send_copy(l, event->topics[i], &message);
	buf_done(&message);
	return taken;
}

static enum publish_log_outcome append(void *ctx, const struct publish_log_request *request,
				       struct event_id *ids, struct publish_log_refusal *refusal)
{
	refusal->why = "a plain PUBLISH was not taken";
	for (size_t i = 0; i < request->n; i++) {
		if (!send_event(ctx, &request->events[i], &ids[i]))
			return PUBLISH_LOG_UNKNOWN;
	}
	return PUBLISH_LOG_DONE;
}

static enum publish_log_outcome control(void *ctx, const struct control *message, uint64_t *heard,
					struct publish_log_refusal *refusal)
{
	(void)ctx;
	(void)message;
	(void)heard;
	refusal->why = "nobody is controlled here";
	return PUBLISH_LOG_REFUSED;
}

static const char *ping(void *ctx)
{
	(void)ctx;
	return NULL;
}

struct publish_log log_redis_log(struct log_redis *l)
{
	return (struct publish_log){.ctx = l, .append = append, .control = control, .ping = ping};
}
