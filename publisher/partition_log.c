/* partition_log: see partition_log.h. A call that may have been carried out is known again by its
 * once key, so that it can be repeated; what its answer means is decided here. */
#include "publisher/partition_log.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/resp.h"
#include "publisher/append_call.h"
#include "publisher/config.h"
#include "publisher/servers.h"
#include "publisher/trouble.h"

#define WAIT_MAX_BYTES 64
#define LATENESS_MS    100 /* Redis ends a WAIT in time, or up to so much later */

/* ---- the script ---- */

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
					   bool maybe, struct event_id *ids)
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
	if (read_ids(reply, ids, n) < 0) {
		trouble_tell(a->trouble, "Redis gave an answer that is none", "");
		return PUBLISH_LOG_UNKNOWN;
	}
	note_acknowledged(a, ids[n - 1]);
	return PUBLISH_LOG_DONE;
}

static enum publish_log_outcome call_script(struct partition_append *a, struct event_id *ids)
{
	struct script script = make_script(a);
	enum publish_log_outcome outcome;
	enum redis_sync_status status;

	script.call.ctx = &script;
	status = servers_call(a->servers, &script.call);
	if (status != REDIS_SYNC_OK) {
		trouble_tell_status(a->trouble, status, servers_why(a->servers));
		return script.call.maybe ? PUBLISH_LOG_UNKNOWN : PUBLISH_LOG_REFUSED;
	}
	outcome = read_reply(a, script.call.reply, script.call.maybe, ids);
	freeReplyObject(script.call.reply);
	return outcome;
}

/* ---- the replicas ---- */

static int write_wait(const struct partition_append *a, int64_t left, struct buf *out)
{
	int64_t timeout = left > 2 * LATENESS_MS ? left - LATENESS_MS : left / 2;
	int rc = resp_command(out, 3);

	if (rc == 0)
		rc = resp_text(out, "WAIT");
	if (rc == 0)
		rc = resp_number(out, a->config->wait_replicas);
	return rc < 0 ? rc
		      : resp_number(out, timeout > 0 ? (uint64_t)timeout : 1); /* 0: for ever */
}

/* Waits on the connection that the script was called on: for what that wrote. Returns a status; on
 * OK *enough says how it went. */
static enum redis_sync_status call_wait(struct partition_append *a, bool *enough)
{
	enum redis_sync_status status = REDIS_SYNC_NOMEM;
	redisReply *reply;
	struct buf wait;

	buf_init(&wait, WAIT_MAX_BYTES);
	if (write_wait(a, a->deadline - redis_sync_now(), &wait) == 0)
		status = servers_go_on(a->servers, (struct span){wait.data, wait.len}, a->deadline,
				       &reply);
	buf_done(&wait);
	if (status != REDIS_SYNC_OK)
		return status;
	*enough = reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0 &&
		  (uint64_t)reply->integer >= a->config->wait_replicas;
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "UNBLOCKED ", 10) == 0)
		status = REDIS_SYNC_BROKEN; /* it was a master until now */
	else if (reply->type == REDIS_REPLY_ERROR)
		trouble_tell_error(a->trouble, reply->str);
	freeReplyObject(reply);
	return status;
}

static enum publish_log_outcome unsafe(struct partition_append *a)
{
	trouble_tell(a->trouble, "fewer replicas than publish_wait_replicas had it in time",
		     "the setting asks for more than there are, or replication is slow or broken");
	return PUBLISH_LOG_UNSAFE;
}

/* When the master is lost while replicas are waited for, the whole is done once more: by then it
 * may be another one, which has it or not. */
static enum publish_log_outcome append_safely(struct partition_append *a, struct event_id *ids)
{
	for (int tries = 0; tries < 2; tries++) {
		enum publish_log_outcome outcome = call_script(a, ids);
		enum redis_sync_status status;
		bool enough = false;

		if (outcome != PUBLISH_LOG_DONE) /* after a first try, it may be published there */
			return tries > 0 ? PUBLISH_LOG_UNKNOWN : outcome;
		status = call_wait(a, &enough);
		if (status == REDIS_SYNC_OK && enough)
			return PUBLISH_LOG_DONE;
		if (status != REDIS_SYNC_BROKEN)
			break;
	}
	return unsafe(a);
}

enum publish_log_outcome partition_append(struct partition_append *a, struct event_id *ids)
{
	return a->config->wait_replicas > 0 ? append_safely(a, ids) : call_script(a, ids);
}
