/* sentinel_reply: what a sentinel says about a master, and what a server says of itself. What they
 * say comes from outside: a wrong word is refused, never followed. */
#ifndef TIDINGS_COMMON_SENTINEL_REPLY_H
#define TIDINGS_COMMON_SENTINEL_REPLY_H

#include <stdbool.h>
#include "common/redis_address.h"

struct redisReply;

/* Reads the answer to SENTINEL get-master-addr-by-name. Returns 0, -ENOENT when the sentinel does
 * not know that master, -EPROTO; *out is written on success alone. */
int sentinel_reply_read(const struct redisReply *reply, struct redis_address *out);

/* Does this answer to ROLE say `master`? */
bool sentinel_reply_is_master(const struct redisReply *reply);

#endif
