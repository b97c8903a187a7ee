/* replicas: see replicas.h. WAIT goes over the connection that the call went over, or it would
 * wait for nothing. */
#include "publisher/replicas.h"

#include <hiredis/hiredis.h>

#include "common/buf.h"
#include "common/resp.h"
#include "publisher/servers.h"
#include "publisher/trouble.h"

#define WAIT_MAX_BYTES 64
#define LATENESS_MS    100 /* Redis ends a WAIT in time, or up to so much later */

static int write_wait(uint64_t wanted, int64_t left, struct buf *out)
{
	int64_t timeout = left > 2 * LATENESS_MS ? left - LATENESS_MS : left / 2;
	int rc = resp_command(out, 3);

	if (rc == 0)
		rc = resp_text(out, "WAIT");
	if (rc == 0)
		rc = resp_number(out, wanted);
	return rc < 0 ? rc
		      : resp_number(out, timeout > 0 ? (uint64_t)timeout : 1); /* 0: for ever */
}

/* Waits on the connection that the script was called on: for what that wrote. Returns a status; on
 * OK *enough says how it went. */
static enum redis_sync_status call_wait(const struct replicas *r, bool *enough)
{
	enum redis_sync_status status = REDIS_SYNC_NOMEM;
	redisReply *reply;
	struct buf wait;

	buf_init(&wait, WAIT_MAX_BYTES);
	if (write_wait(r->wanted, r->deadline - redis_sync_now(), &wait) == 0)
		status = servers_go_on(r->servers, (struct span){wait.data, wait.len}, r->deadline,
				       &reply);
	buf_done(&wait);
	if (status != REDIS_SYNC_OK)
		return status;
	*enough = reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0 &&
		  (uint64_t)reply->integer >= r->wanted;
	if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "UNBLOCKED ", 10) == 0)
		status = REDIS_SYNC_BROKEN; /* it was a master until now */
	else if (reply->type == REDIS_REPLY_ERROR)
		trouble_tell_error(r->trouble, reply->str);
	freeReplyObject(reply);
	return status;
}

static enum publish_log_outcome unsafe(const struct replicas *r)
{
	trouble_tell(r->trouble, "fewer replicas than publish_wait_replicas had it in time",
		     "the setting asks for more than there are, or replication is slow or broken");
	return PUBLISH_LOG_UNSAFE;
}

/* By the second try the master may be another one, which has what the first one wrote or not. */
enum publish_log_outcome replicas_call(const struct replicas *r,
				       enum publish_log_outcome (*call)(void *ctx), void *ctx)
{
	for (int tries = 0; tries < 2; tries++) {
		enum publish_log_outcome outcome = call(ctx);
		enum redis_sync_status status;
		bool enough = false;

		if (outcome != PUBLISH_LOG_DONE) /* after a first try, it may be published there */
			return tries > 0 ? PUBLISH_LOG_UNKNOWN : outcome;
		if (r->wanted == 0)
			return outcome;
		status = call_wait(r, &enough);
		if (status == REDIS_SYNC_OK && enough)
			return PUBLISH_LOG_DONE;
		if (status != REDIS_SYNC_BROKEN)
			break;
	}
	return unsafe(r);
}
