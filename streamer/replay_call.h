/* replay_call: the call of replay.lua: the only place that knows the order of its keys, arguments
 * and answers. */
#ifndef TIDINGS_STREAMER_REPLAY_CALL_H
#define TIDINGS_STREAMER_REPLAY_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include "streamer/log_read.h"

struct buf;
struct topic_space;
struct redisReply;

/* The most bytes that an answer can measure; a longer one is no answer. max_message: bytes of one
 * message. */
size_t replay_call_max_bytes(size_t max_message);

/* Appends the command to b; with_text: the script itself, for a Redis that does not know it.
 * Returns 0, -ENOBUFS, -ENOMEM. */
int replay_call_write(const struct log_question *q, const struct topic_space *space, bool with_text,
		      struct buf *b);

/* An answer with the room that it needs; zeroed before its first use. */
struct replay_reply {
	struct log_answer answer;
	struct event_id *last_ids;
	struct log_entry *entries;
	struct log_revocation *revocations;
};

/* Reads the answer to a question of n topics; messages are views into r. Returns 0, -EPROTO when it
 * is none, -ENOMEM; out is to be ended with replay_reply_done in each case. */
int replay_call_read(const struct redisReply *r, size_t n, struct replay_reply *out);
void replay_reply_done(struct replay_reply *out);

#endif
