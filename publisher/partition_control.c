/* partition_control: see partition_control.h. The script can be called again, so whatever breaks on
 * the way is tried once more; only a revocation writes what replicas can be waited for. */
#include "publisher/partition_control.h"

#include <hiredis/hiredis.h>

#include "common/buf.h"
#include "common/control.h"
#include "publisher/replicas.h"
#include "publisher/servers.h"
#include "publisher/trouble.h"

static int write_script(void *ctx, bool with_text, struct span server, struct buf *out)
{
	const struct partition_control *p = ctx;

	(void)server;
	return control_call_write(&p->call, with_text, out);
}

static enum publish_log_outcome read_reply(struct partition_control *p, const redisReply *reply,
					   bool maybe)
{
	if (reply->type == REDIS_REPLY_ERROR) {
		trouble_tell_error(p->trouble, reply->str);
		return maybe ? PUBLISH_LOG_UNKNOWN : PUBLISH_LOG_REFUSED;
	}
	if (reply->type != REDIS_REPLY_INTEGER || reply->integer < 0) {
		trouble_tell(p->trouble, "Redis gave an answer that is none", "");
		return PUBLISH_LOG_UNKNOWN;
	}
	p->heard = (uint64_t)reply->integer;
	return PUBLISH_LOG_DONE;
}

static enum publish_log_outcome call_script(void *ctx)
{
	struct partition_control *p = ctx;
	struct servers_call call = {
		.write = write_script, .ctx = p, .slot = p->slot, .deadline = p->deadline};
	enum publish_log_outcome outcome;
	enum redis_sync_status status;

	status = servers_call(p->servers, &call);
	if (status != REDIS_SYNC_OK) {
		trouble_tell_status(p->trouble, status, servers_why(p->servers));
		return call.maybe ? PUBLISH_LOG_UNKNOWN : PUBLISH_LOG_REFUSED;
	}
	outcome = read_reply(p, call.reply, call.maybe);
	freeReplyObject(call.reply);
	return outcome;
}

enum publish_log_outcome partition_control(struct partition_control *p)
{
	bool writes = p->call.control->kind == CONTROL_REVOKE;
	struct replicas replicas = {p->servers, p->trouble, writes ? p->wait_replicas : 0,
				    p->deadline};

	return replicas_call(&replicas, call_script, p);
}
