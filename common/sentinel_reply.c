/* sentinel_reply: see sentinel_reply.h. hiredis is here for the form of its replies alone. */
#include "common/sentinel_reply.h"

#include <errno.h>
#include <hiredis/hiredis.h>

#include "common/num.h"

static struct span text_of(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING ? (struct span){r->str, r->len} : (struct span){0};
}

int sentinel_reply_read(const struct redisReply *reply, struct redis_address *out)
{
	struct span host, port;
	uint64_t number;

	if (reply->type == REDIS_REPLY_NIL)
		return -ENOENT;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return -EPROTO;
	host = text_of(reply->element[0]);
	port = text_of(reply->element[1]);
	if (!port.at || num_parse_u64(port.at, port.len, 1, 65535, &number) < 0 ||
	    redis_address_make(host, (uint16_t)number, out) < 0)
		return -EPROTO;
	return 0;
}

bool sentinel_reply_is_master(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
	       span_is(text_of(reply->element[0]), "master");
}
