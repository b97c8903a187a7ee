/* fuzz_replay_reply: whatever Redis answers to a question to the logs: what is taken holds
 * together. The first byte is the number of topics, the rest the answer in Redis's protocol. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include "streamer/replay_call.h"
#include "tests/fuzz/fuzz.h"

static void check_answer(const struct log_answer *a, size_t n)
{
	for (size_t i = 0; i < a->n_entries; i++) {
		const struct log_entry *e = &a->entries[i];
		MUST(e->topic < n);
		MUST(i == 0 || event_id_compare(e[-1].id, e->id) <= 0);
		MUST(e->message.at);
		MUST(!e->copy || event_id_compare(e[-1].id, e->id) == 0);
	}
	for (size_t i = 0; i < a->n_revocations; i++)
		MUST(a->revocations[i].text.at);
}

static void read_reply(const redisReply *r, size_t n)
{
	struct replay_reply reply = {0};
	int rc = replay_call_read(r, n, &reply);

	MUST(rc == 0 || rc == -EPROTO || rc == -ENOMEM);
	if (rc == 0)
		check_answer(&reply.answer, n);
	replay_reply_done(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	redisReader *reader = redisReaderCreate();
	void *r = NULL;

	if (!reader || size == 0) {
		redisReaderFree(reader);
		return 0;
	}
	if (redisReaderFeed(reader, (const char *)data + 1, size - 1) == REDIS_OK &&
	    redisReaderGetReply(reader, &r) == REDIS_OK && r)
		read_reply(r, data[0]);
	freeReplyObject(r);
	redisReaderFree(reader);
	return 0;
}
