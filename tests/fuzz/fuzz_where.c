/* fuzz_where: whatever nodes of a Cluster and sentinels answer about who is where: what is taken is
 * an address, and of a slot that there is. The bytes are an answer in Redis's protocol; as a text
 * they are an error that may redirect. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <string.h>
#include "common/cluster_map.h"
#include "common/sentinel_reply.h"
#include "tests/fuzz/fuzz.h"

static void check_address(const struct redis_address *a)
{
	char name[REDIS_ADDRESS_BYTES];

	MUST(a->port > 0);
	MUST(strlen(a->host) > 0 && strlen(a->host) < REDIS_HOST_BYTES);
	MUST(strcspn(a->host, " \r\n\t") == strlen(a->host));
	MUST(strlen(redis_address_format(a, name)) > strlen(a->host));
}

static void check_map(const struct cluster_map *m)
{
	MUST(m->n_nodes <= CLUSTER_MAX_NODES);
	for (size_t i = 0; i < m->n_nodes; i++)
		check_address(&m->nodes[i]);
	for (unsigned slot = 0; slot < REDIS_SLOTS; slot++)
		MUST(m->owner[slot] <= m->n_nodes);
}

static void read_reply(const redisReply *r)
{
	struct redis_address master;
	struct cluster_map m;
	int rc = cluster_map_read(r, "asked", &m);

	MUST(rc == 0 || rc == -EPROTO);
	if (rc == 0) {
		check_map(&m);
		cluster_map_done(&m);
	}
	rc = sentinel_reply_read(r, &master);
	MUST(rc == 0 || rc == -EPROTO || rc == -ENOENT);
	if (rc == 0)
		check_address(&master);
	(void)sentinel_reply_is_master(r);
}

static void read_error(const char *text, size_t len)
{
	struct cluster_redirect redirect;

	if (cluster_redirect_read(text, len, "asked", &redirect) == 0) {
		MUST(redirect.slot < REDIS_SLOTS);
		check_address(&redirect.to);
	}
}

/* hiredis takes memory for as many elements as are announced: not what is looked at here. */
static bool announces_many(const uint8_t *data, size_t size)
{
	size_t digits = 0;

	for (size_t i = 0; i < size; i++) {
		digits = data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
		if (digits > 6)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	redisReader *reader = redisReaderCreate();
	void *r = NULL;

	read_error((const char *)data, size);
	if (!reader || announces_many(data, size)) {
		redisReaderFree(reader);
		return 0;
	}
	if (redisReaderFeed(reader, (const char *)data, size) == REDIS_OK &&
	    redisReaderGetReply(reader, &r) == REDIS_OK && r)
		read_reply(r);
	freeReplyObject(r);
	redisReaderFree(reader);
	return 0;
}
