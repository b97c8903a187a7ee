/* redis_reply: replies for tests, from what goes over the wire. */
#ifndef TIDINGS_TESTS_UNIT_REDIS_REPLY_H
#define TIDINGS_TESTS_UNIT_REDIS_REPLY_H

#include <hiredis/hiredis.h>

#include "tests/unit/run.h"

/* The one reply that the bytes hold; ended by freeReplyObject. */
static inline redisReply *redis_reply(const char *bytes, size_t len)
{
	redisReader *reader = redisReaderCreate();
	void *reply = NULL;

	ck_assert_int_eq(redisReaderFeed(reader, bytes, len), REDIS_OK);
	ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
	ck_assert_ptr_nonnull(reply);
	redisReaderFree(reader);
	return reply;
}

#define REPLY(text) redis_reply(text, sizeof(text) - 1)

#endif
