/* partition_log: see partition_log.h. A call that may have been carried out is known again by its
 * once key, so that it can be repeated; what its answer means is decided here. */
#include "publisher/partition_log.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>

#include "common/buf.h"
#include "publisher/append_call.h"
#include "publisher/config.h"
#include "publisher/replicas.h"
#include "publisher/servers.h"
#include "publisher/trouble.h"

struct script {
	struct append_call append;
	struct servers_call call;
};

static int write_script(void *ctx, bool with_text, struct span server, struct buf *out)
{
	struct script *s = ctx;

	s->append.server = server;
	return append_call_write(&s->append, with_text, out);
}

static struct script make_script(const struct partition_append *a)
{
	const struct partition_log *log = a->log;

	return (struct script){
		.append = {.request = a->request,
			   .space = &log->space,
			   .sharded = a->sharded,
			   .once = a->once,
			   .known_as = a->known_as,
			   .acknowledged = log->acknowledged,
			   .acknowledged_by = span_of(log->acknowledged_by),
			   .history_size = a->config->history_size,
			   .history_seconds = a->config->history_seconds,
			   .rate_limit = a->rate_limit,
			   .wait_replicas = a->config->wait_replicas},
		.call = {.write = write_script, .slot = log->slot, .deadline = a->deadline},
	};
}

/* Reads {'new'|'again', id, …}. Returns 0 or -EPROTO. */
static int read_ids(const redisReply *reply, struct event_id *ids, size_t n)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != n + 1)
		return -EPROTO;
	for (size_t i = 0; i < n; i++) {
		const redisReply *id = reply->element[i + 1];

		if (id->type != REDIS_REPLY_STRING || event_id_parse(id->str, id->len, &ids[i]) < 0)
			return -EPROTO;
	}
	return 0;
}

/* True for {'limited', milliseconds}. */
static bool read_limit(const redisReply *reply, uint64_t *wait_ms)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[1]->type != REDIS_REPLY_INTEGER || reply->element[1]->integer < 0)
		return false;
	*wait_ms = (uint64_t)reply->element[1]->integer;
	return true;
}

/* Ids of one request rise, but an answer given again may be older than what was heard since. */
static void note_acknowledged(struct partition_append *a, struct event_id id)
{
	struct partition_log *log = a->log;

	if (event_id_compare(id, log->acknowledged) <= 0)
		return;
	log->acknowledged = id;
	snprintf(log->acknowledged_by, sizeof(log->acknowledged_by), "%s",
		 servers_name(a->servers));
}

static enum publish_log_outcome read_reply(struct partition_append *a, const redisReply *reply,
					   bool maybe)
{
	size_t n = a->request->n;

	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "MISMATCH ", 9) == 0)
		return PUBLISH_LOG_MISMATCH;
	if (reply->type == REDIS_REPLY_ERROR) {
		trouble_tell_error(a->trouble, reply->str);
		return maybe ? PUBLISH_LOG_UNKNOWN : PUBLISH_LOG_REFUSED;
	}
	if (read_limit(reply, &a->wait_ms))
		return PUBLISH_LOG_LIMITED;
	if (read_ids(reply, a->ids, n) < 0) {
		trouble_tell(a->trouble, "Redis gave an answer that is none", "");
		return PUBLISH_LOG_UNKNOWN;
	}
	note_acknowledged(a, a->ids[n - 1]);
	return PUBLISH_LOG_DONE;
}

static enum publish_log_outcome call_script(void *ctx)
{
	struct partition_append *a = ctx;
	struct script script = make_script(a);
	enum publish_log_outcome outcome;
	enum redis_sync_status status;

	script.call.ctx = &script;
	status = servers_call(a->servers, &script.call);
	if (status != REDIS_SYNC_OK) {
		trouble_tell_status(a->trouble, status, servers_why(a->servers));
		return script.call.maybe ? PUBLISH_LOG_UNKNOWN : PUBLISH_LOG_REFUSED;
	}
	outcome = read_reply(a, script.call.reply, script.call.maybe);
	freeReplyObject(script.call.reply);
	return outcome;
}

enum publish_log_outcome partition_append(struct partition_append *a)
{
	struct replicas replicas = {a->servers, a->trouble, a->config->wait_replicas, a->deadline};

	return replicas_call(&replicas, call_script, a);
}
