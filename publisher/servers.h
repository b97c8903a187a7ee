/* servers: gets one command answered by the server that it is for: the one Redis, the master that
 * sentinels name, or the node of a Cluster that has the slot. Whatever can be overcome within the
 * deadline is: a connection that broke, a failover, a slot that moved. So a command may come to be
 * carried out twice, and must bear it. */
#ifndef TIDINGS_PUBLISHER_SERVERS_H
#define TIDINGS_PUBLISHER_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"
#include "publisher/redis_sync.h"

struct buf;
struct redis_login;
struct redisReply;
struct servers;

/* login is borrowed. Connects to nothing yet. NULL when out of memory. */
struct servers *servers_new(const struct redis_login *login);
void servers_free(struct servers *s);

struct servers_call {
	/* Appends the command to out: with a script's text when the server turned out not to know
	 * it by its digest; for the server of that name, "" where there is but one. Returns 0,
	 * -ENOBUFS, -ENOMEM. */
	int (*write)(void *ctx, bool with_text, struct span server, struct buf *out);
	void *ctx;
	unsigned slot; /* on a Cluster, of the command's keys */
	int64_t deadline;

	/* what came of it */
	struct redisReply *reply; /* with REDIS_SYNC_OK; the caller ends it with freeReplyObject */
	bool maybe; /* a try was sent and not answered: it may have been carried out; is never
		       unset */
};

/* An error that Redis answers is an answer, when it is the last word within the deadline. */
enum redis_sync_status servers_call(struct servers *s, struct servers_call *call);

/* Another command on the very connection on which the last call was answered; BROKEN when that has
 * ended. */
enum redis_sync_status servers_go_on(struct servers *s, struct span command, int64_t deadline,
				     struct redisReply **reply);

/* The name of the server that answered the last call, good until the next one. */
const char *servers_name(const struct servers *s);

/* Would a call reach what it is for now? slots: all that are used, on a Cluster. REFUSED, with an
 * error's words, when something is there and not in a state for it. */
enum redis_sync_status servers_check(struct servers *s, const unsigned *slots, size_t n,
				     int64_t deadline);

/* After a call that failed: what happened, in Redis's or the system's words; good until the next.
 */
const char *servers_why(const struct servers *s);

#endif
