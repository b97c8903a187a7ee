/* publisher_redis: events by PUBLISH, as any program may do it, or by append.lua, as publish does:
 * with ids and logs of its default sizes. Both pipelined on one connection. */
#include "bench/publisher_ways.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load_options.h"
#include "common/buf.h"
#include "common/event.h"
#include "common/num.h"
#include "common/resp.h"
#include "common/topic.h"
#include "publisher/append_call.h"

#define HISTORY_SIZE    100
#define HISTORY_SECONDS 300

struct to_redis {
	int fd;
	bool with_log, loaded;
	uint64_t asked, answered, refused;
	redisReader *reader;
	struct buf out, message;
	struct topic_space space;
	struct event_id acknowledged;
	char own_key[32];
};

static void *redis_open(const struct load_options *o)
{
	struct to_redis *r = calloc(1, sizeof(*r));

	if (!r || !(r->reader = redisReaderCreate()))
		publisher_die("out of memory");
	r->fd = publisher_dial(o->to);
	r->with_log = o->way == LOAD_TO_LOG;
	buf_init(&r->out, PUBLISHER_BUFFER_MAX);
	buf_init(&r->message, PUBLISHER_BUFFER_MAX);
	topic_space_init(&r->space, "", "");
	snprintf(r->own_key, sizeof(r->own_key), "bench%ld", (long)getpid());
	return r;
}

static void redis_close(void *way)
{
	struct to_redis *r = way;

	close(r->fd);
	redisReaderFree(r->reader);
	buf_done(&r->out);
	buf_done(&r->message);
	free(r);
}

static bool redis_ready(const void *way)
{
	(void)way;
	return true;
}

static void put_plain(struct to_redis *r, struct span topic, struct span payload)
{
	buf_clear(&r->message);
	publisher_message(&r->message, payload);
	publisher_must(resp_command(&r->out, 3));
	publisher_must(resp_text(&r->out, "PUBLISH"));
	publisher_must(resp_word(&r->out, topic));
	publisher_must(resp_word(&r->out, (struct span){r->message.data, r->message.len}));
}

/* The first call brings the script's text. */
static void put_append(struct to_redis *r, struct span topic, struct span payload)
{
	struct publish_log_event e = {.topics = &topic, .n_topics = 1};
	struct publish_log_request request = {.events = &e, .n = 1};
	struct event event = {.name = span_of("message"), .topics = &topic, .n_topics = 1};
	struct buf data;
	char number[1 + NUM_U64_DIGITS] = "#";

	buf_init(&data, PUBLISHER_BUFFER_MAX);
	publisher_must(buf_append_char(&data, '"'));
	publisher_must(buf_append(&data, payload.at, payload.len));
	publisher_must(buf_append_char(&data, '"'));
	event.data = (struct span){data.data, data.len};
	buf_clear(&r->message);
	publisher_must(event_encode(&event, &r->message, &e.parts));
	struct append_call call = {
		.request = &request,
		.space = &r->space,
		.once = span_of(r->own_key),
		.known_as = {number, 1 + num_format_u64(r->asked + 1, number + 1)},
		.acknowledged = r->acknowledged,
		.server = span_of(""),
		.acknowledged_by = span_of(""),
		.history_size = HISTORY_SIZE,
		.history_seconds = HISTORY_SECONDS,
	};
	publisher_must(append_call_write(&call, !r->loaded, &r->out));
	r->loaded = true;
	buf_done(&data);
}

static void redis_put(void *way, struct span topic, struct span payload)
{
	struct to_redis *r = way;

	if (r->with_log)
		put_append(r, topic, payload);
	else
		put_plain(r, topic, payload);
	r->asked++;
}

static void redis_flush(void *way)
{
	struct to_redis *r = way;

	publisher_send(r->fd, &r->out);
	buf_clear(&r->out);
}

static size_t redis_fds(const void *way, struct pollfd *out)
{
	const struct to_redis *r = way;

	out[0] = (struct pollfd){.fd = r->fd, .events = POLLIN};
	return 1;
}

static void take_reply(struct to_redis *r, const redisReply *reply)
{
	r->answered++;
	if (reply->type == REDIS_REPLY_ERROR) {
		if (r->refused++ == 0)
			fprintf(stderr, "load: Redis refused: %s\n", reply->str);
	} else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
		   reply->element[1]->type == REDIS_REPLY_STRING) {
		publisher_must(event_id_parse(reply->element[1]->str, reply->element[1]->len,
					      &r->acknowledged));
	}
}

static void redis_take(void *way)
{
	struct to_redis *r = way;
	char bytes[65536];
	void *reply;

	for (;;) {
		ssize_t n = recv(r->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0 || redisReaderFeed(r->reader, bytes, (size_t)n) != REDIS_OK)
			publisher_die("Redis");
		while (redisReaderGetReply(r->reader, &reply) == REDIS_OK && reply) {
			take_reply(r, reply);
			freeReplyObject(reply);
		}
		if (r->reader->err)
			publisher_die(r->reader->errstr);
	}
}

static void redis_counts(const void *way, uint64_t *answered, uint64_t *refused)
{
	const struct to_redis *r = way;

	*answered = r->answered;
	*refused = r->refused;
}

const struct publisher_ops publisher_redis = {redis_open,  redis_close, redis_ready, redis_put,
					      redis_flush, redis_fds,   redis_take,  redis_counts};
