/* redis_sync: one lasting connection to Redis for one command at a time, each with a deadline that
 * holds for everything: connecting, signing in, sending, waiting. A connection that failed in any
 * way is thrown away, so that no late answer is ever taken for the answer to something else. */
#ifndef TIDINGS_PUBLISHER_REDIS_SYNC_H
#define TIDINGS_PUBLISHER_REDIS_SYNC_H

#include <stdbool.h>
#include <stdint.h>
#include "common/span.h"

struct redisReply;
struct redis_sync;

enum redis_sync_status {
	REDIS_SYNC_OK,
	REDIS_SYNC_UNREACHABLE, /* no connection could be made */
	REDIS_SYNC_REFUSED,     /* AUTH or SELECT was answered with an error */
	REDIS_SYNC_BROKEN,      /* the connection ended before the answer */
	REDIS_SYNC_TIMEOUT,     /* the deadline passed */
	REDIS_SYNC_NOMEM,
};

struct redis_login;
struct redis_server;

/* A link to one server, which is copied; signs in, by TLS or not, as login says, which is borrowed
 * for the link's life. Connects to nothing yet. NULL when out of memory. */
struct redis_sync *redis_sync_new(const struct redis_login *login,
				  const struct redis_server *server);
void redis_sync_free(struct redis_sync *r);

/* The clock of deadlines, in milliseconds. */
int64_t redis_sync_now(void);

/* Sends one command, as resp.h writes it, and waits for its answer, which the caller ends with
 * freeReplyObject. An error that Redis answers is an answer. A name in redis_url is looked up in
 * here without a limit of its own. */
enum redis_sync_status redis_sync_call(struct redis_sync *r, struct span command, int64_t deadline,
				       struct redisReply **reply);

/* The same on the connection that is there, never on a new one: BROKEN, with nothing sent, where
 * there is none any more. For who knows something of this connection: which server is at its other
 * end, or what it wrote. */
enum redis_sync_status redis_sync_call_linked(struct redis_sync *r, struct span command,
					      int64_t deadline, struct redisReply **reply);

/* After a call that failed: had any of its command been sent? If not, it can't have been carried
 * out. */
bool redis_sync_sent(const struct redis_sync *r);

/* After a call that failed: what happened, in Redis's or the system's words; good until the next
 * call. */
const char *redis_sync_why(const struct redis_sync *r);

#endif
