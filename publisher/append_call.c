/* append_call: see append_call.h. The one place that knows the order of KEYS and ARGV of
 * append.lua. */
#include "publisher/append_call.h"

#include "common/buf.h"
#include "common/resp.h"
#include "common/topic.h"
#include "publisher/append_lua.h"

#define REMEMBER_SECONDS 300
#define INDEX_TOPICS     100000
#define INDEX_SECONDS    86400

enum {
	KEYS_FIXED = 4, /* state, index, once, rate */
	ARGS_FIXED = 13,
	ARGS_OF_EVENT = 4,
	ARGS_OF_TOPIC = 2,
};

static int write_key(struct buf *b, const struct topic_space *space, const char *name,
		     struct span rest)
{
	char key[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_key(space, name, rest, key);

	return resp_word(b, (struct span){key, len});
}

/* Each copy of an event names its own log; a log may be named twice. A key that never is there,
 * as that of a limit that nobody set, would make a Cluster refuse each call while the slot moves
 * (TRYAGAIN). */
static int write_keys(const struct append_call *call, struct buf *b)
{
	int rc = write_key(b, call->space, "state", span_of(""));

	if (rc == 0)
		rc = write_key(b, call->space, "index", span_of(""));
	if (rc == 0)
		rc = write_key(b, call->space, "once:", call->once);
	if (rc == 0)
		rc = write_key(b, call->space, call->rate_limit ? "rate" : "state", span_of(""));
	for (size_t i = 0; i < call->request->n; i++) {
		const struct publish_log_event *e = &call->request->events[i];

		for (size_t k = 0; rc == 0 && k < e->n_topics; k++)
			rc = write_key(b, call->space, "log:", e->topics[k]);
	}
	return rc;
}

static int write_acknowledged(struct event_id id, struct buf *b)
{
	char text[EVENT_ID_MAX_BYTES + 1];

	if (event_id_is_zero(id))
		return resp_text(b, "");
	return resp_word(b, (struct span){text, event_id_format(id, text)});
}

static int write_settings(const struct append_call *call, struct buf *b)
{
	int rc = write_acknowledged(call->acknowledged, b);

	if (rc == 0)
		rc = resp_word(b, call->known_as);
	if (rc == 0)
		rc = resp_number(b, REMEMBER_SECONDS);
	if (rc == 0)
		rc = resp_number(b, call->history_size);
	if (rc == 0)
		rc = resp_number(b, call->history_seconds);
	if (rc == 0)
		rc = resp_number(b, INDEX_TOPICS);
	if (rc == 0)
		rc = resp_number(b, call->history_seconds > INDEX_SECONDS ? call->history_seconds
									  : INDEX_SECONDS);
	if (rc == 0)
		rc = resp_number(b, call->rate_limit);
	if (rc == 0)
		rc = resp_text(b, call->sharded ? "SPUBLISH" : "PUBLISH");
	if (rc == 0)
		rc = resp_word(b, call->server);
	if (rc == 0)
		rc = resp_word(b, call->acknowledged_by);
	if (rc == 0)
		rc = resp_number(b, call->wait_replicas);
	return rc < 0 ? rc : resp_number(b, call->request->n);
}

static int write_topic(const struct topic_space *space, struct span topic, struct buf *b)
{
	char channel[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_channel(space, topic, channel);
	int rc = resp_word(b, topic);

	return rc < 0 ? rc : resp_word(b, (struct span){channel, len});
}

static int write_event(const struct append_call *call, const struct publish_log_event *e,
		       struct buf *b)
{
	int rc = resp_word(b, e->parts.head);

	if (rc == 0)
		rc = resp_word(b, e->parts.middle);
	if (rc == 0)
		rc = resp_word(b, e->parts.tail);
	if (rc == 0)
		rc = resp_number(b, e->n_topics);
	for (size_t k = 0; rc == 0 && k < e->n_topics; k++)
		rc = write_topic(call->space, e->topics[k], b);
	return rc;
}

int append_call_write(const struct append_call *call, bool with_text, struct buf *b)
{
	const struct publish_log_request *request = call->request;
	size_t copies = publish_log_copies(request), keys = KEYS_FIXED + copies;
	int rc = resp_command(
		b, 3 + keys + ARGS_FIXED + ARGS_OF_EVENT * request->n + ARGS_OF_TOPIC * copies);

	if (rc == 0)
		rc = resp_text(b, with_text ? "EVAL" : "EVALSHA");
	if (rc == 0)
		rc = resp_text(b, with_text ? append_lua : APPEND_LUA_SHA);
	if (rc == 0)
		rc = resp_number(b, keys);
	if (rc == 0)
		rc = write_keys(call, b);
	if (rc == 0)
		rc = write_settings(call, b);
	for (size_t i = 0; rc == 0 && i < request->n; i++)
		rc = write_event(call, &request->events[i], b);
	return rc;
}
