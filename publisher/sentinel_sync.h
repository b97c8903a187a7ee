/* sentinel_sync: finds the master that sentinels name, and keeps the connection to it. */
#ifndef TIDINGS_PUBLISHER_SENTINEL_SYNC_H
#define TIDINGS_PUBLISHER_SENTINEL_SYNC_H

#include <stdint.h>
#include "publisher/place.h"
#include "publisher/redis_sync.h"

struct redis_login;
struct redisReply;
struct sentinel_sync;

/* login is borrowed: user, password and database are the master's; a sentinel that wants a password
 * gets the same. Connects to nothing yet. NULL when out of memory. */
struct sentinel_sync *sentinel_sync_new(const struct redis_login *login);
void sentinel_sync_free(struct sentinel_sync *s);

/* Gives the master: the one that is known, or else the first that a sentinel names and that calls
 * itself one. Asks each sentinel once at most. *out is good until the next call. */
enum redis_sync_status sentinel_sync_reach(struct sentinel_sync *s, int64_t deadline,
					   struct place *out);

/* What came of a command there; reply: with REDIS_SYNC_OK. */
enum place_verdict sentinel_sync_judge(struct sentinel_sync *s, enum redis_sync_status status,
				       const struct redisReply *reply);

/* Is it reached, and does it still call itself the master? REFUSED, with an error's words, when it
 * does not. */
enum redis_sync_status sentinel_sync_check(struct sentinel_sync *s, int64_t deadline);

/* After a call that failed: what happened; good until the next one. */
const char *sentinel_sync_why(const struct sentinel_sync *s);

#endif
