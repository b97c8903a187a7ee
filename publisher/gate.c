/* gate: see gate.h. */
#include "publisher/gate.h"

#include <hiredis/hiredis.h>

#include "common/buf.h"
#include "common/resp.h"
#include "common/topic.h"
#include "publisher/config.h"
#include "publisher/limit_lua.h"
#include "publisher/partition_log.h"
#include "publisher/servers.h"
#include "publisher/trouble.h"

#define CLAIM_SECONDS 300

/* One command on one key of ours. */
struct question {
	const struct config *config;
	const struct partition_log *at;
	const struct publish_log_request *request;
	struct servers_call call;
};

static int write_key(const struct question *q, const char *name, struct span rest, struct buf *out)
{
	char key[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_key(&q->at->space, name, rest, key);

	return resp_word(out, (struct span){key, len});
}

static enum redis_sync_status ask(const struct gate *g, struct question *q)
{
	enum redis_sync_status status;

	q->config = g->config;
	q->call.ctx = q;
	q->call.slot = q->at->slot;
	q->call.deadline = g->deadline;
	status = servers_call(g->servers, &q->call);
	if (status != REDIS_SYNC_OK)
		trouble_tell_status(g->trouble, status, servers_why(g->servers));
	return status;
}

/* ---- one key, one request ---- */

static int write_claim(void *ctx, bool with_text, struct span server, struct buf *out)
{
	const struct question *q = ctx;
	int rc = resp_command(out, 7);

	(void)with_text;
	(void)server;
	if (rc == 0)
		rc = resp_text(out, "SET");
	if (rc == 0)
		rc = write_key(q, "claim:", q->request->key, out);
	if (rc == 0)
		rc = resp_word(out, q->request->digest);
	if (rc == 0)
		rc = resp_text(out, "NX");
	if (rc == 0)
		rc = resp_text(out, "GET");
	if (rc == 0)
		rc = resp_text(out, "EX");
	return rc < 0 ? rc : resp_number(out, CLAIM_SECONDS);
}

static int write_expiry(const struct question *q, uint64_t seconds, struct buf *out)
{
	int rc = resp_command(out, 3);

	if (rc == 0)
		rc = resp_text(out, "EXPIRE");
	if (rc == 0)
		rc = write_key(q, "claim:", q->request->key, out);
	return rc < 0 ? rc : resp_number(out, seconds);
}

static int write_renewal(void *ctx, bool with_text, struct span server, struct buf *out)
{
	(void)with_text;
	(void)server;
	return write_expiry(ctx, CLAIM_SECONDS, out);
}

/* An expiry at once deletes, and needs no right that a renewal does not need. */
static int write_end(void *ctx, bool with_text, struct span server, struct buf *out)
{
	(void)with_text;
	(void)server;
	return write_expiry(ctx, 0, out);
}

static enum publish_log_outcome judge_claim(const struct gate *g, const struct question *q,
					    bool *again)
{
	const redisReply *reply = q->call.reply;

	*again = false;
	if (reply->type == REDIS_REPLY_NIL)
		return PUBLISH_LOG_DONE;
	if (reply->type == REDIS_REPLY_STRING) {
		if (!span_equal((struct span){reply->str, reply->len}, q->request->digest))
			return PUBLISH_LOG_MISMATCH;
		*again = !q->call.maybe; /* or else it may be what a first try of ours left */
		return PUBLISH_LOG_DONE;
	}
	if (reply->type == REDIS_REPLY_ERROR)
		trouble_tell_error(g->trouble, reply->str);
	else
		trouble_tell(g->trouble, "Redis gave an answer that is none", "");
	return PUBLISH_LOG_REFUSED;
}

/* What the partitions publish now is remembered from now on, and so must be the claim. */
static enum publish_log_outcome renew(const struct gate *g, struct question *q)
{
	enum publish_log_outcome outcome = PUBLISH_LOG_DONE;

	q->call = (struct servers_call){.write = write_renewal};
	if (ask(g, q) != REDIS_SYNC_OK)
		return PUBLISH_LOG_REFUSED;
	if (q->call.reply->type == REDIS_REPLY_ERROR) {
		trouble_tell_error(g->trouble, q->call.reply->str);
		outcome = PUBLISH_LOG_REFUSED;
	}
	freeReplyObject(q->call.reply);
	return outcome;
}

enum publish_log_outcome gate_claim(const struct gate *g, const struct partition_log *at,
				    const struct publish_log_request *request, bool *again)
{
	struct question q = {.at = at, .request = request, .call = {.write = write_claim}};
	enum publish_log_outcome outcome;

	if (ask(g, &q) != REDIS_SYNC_OK)
		return PUBLISH_LOG_REFUSED;
	outcome = judge_claim(g, &q, again);
	freeReplyObject(q.call.reply);
	return outcome == PUBLISH_LOG_DONE && *again ? renew(g, &q) : outcome;
}

void gate_unclaim(const struct gate *g, const struct partition_log *at,
		  const struct publish_log_request *request)
{
	struct question q = {.at = at, .request = request, .call = {.write = write_end}};
	struct trouble unsaid = *g->trouble; /* why nothing was published is what matters */
	struct gate quiet = *g;

	quiet.trouble = &unsaid;
	if (ask(&quiet, &q) == REDIS_SYNC_OK)
		freeReplyObject(q.call.reply);
}

/* ---- all events of a second ---- */

static int write_count(void *ctx, bool with_text, struct span server, struct buf *out)
{
	const struct question *q = ctx;
	int rc = resp_command(out, 6);

	(void)server;
	if (rc == 0)
		rc = resp_text(out, with_text ? "EVAL" : "EVALSHA");
	if (rc == 0)
		rc = resp_text(out, with_text ? limit_lua : LIMIT_LUA_SHA);
	if (rc == 0)
		rc = resp_number(out, 1);
	if (rc == 0)
		rc = write_key(q, "rate", span_of(""), out);
	if (rc == 0)
		rc = resp_number(out, q->config->rate_limit);
	return rc < 0 ? rc : resp_number(out, q->request->n);
}

static enum publish_log_outcome judge_count(const struct gate *g, const redisReply *reply,
					    uint64_t *wait_ms)
{
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1)
		return PUBLISH_LOG_DONE;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	    reply->element[1]->type == REDIS_REPLY_INTEGER && reply->element[1]->integer >= 0) {
		*wait_ms = (uint64_t)reply->element[1]->integer;
		return PUBLISH_LOG_LIMITED;
	}
	if (reply->type == REDIS_REPLY_ERROR)
		trouble_tell_error(g->trouble, reply->str);
	else
		trouble_tell(g->trouble, "Redis gave an answer that is none", "");
	return PUBLISH_LOG_REFUSED;
}

enum publish_log_outcome gate_count(const struct gate *g, const struct partition_log *at,
				    const struct publish_log_request *request, uint64_t *wait_ms)
{
	struct question q = {.at = at, .request = request, .call = {.write = write_count}};
	enum publish_log_outcome outcome;

	if (ask(g, &q) != REDIS_SYNC_OK)
		return PUBLISH_LOG_REFUSED;
	outcome = judge_count(g, q.call.reply, wait_ms);
	freeReplyObject(q.call.reply);
	return outcome;
}
