/* log_redis: see log_redis.h. One Redis, and the master that sentinels name, have one log; on a
 * Cluster a request is cut into its partitions, and goes to each of them in turn. Everything of one
 * append happens within redis_timeout_ms. Owns the connections, and what is known of each
 * partition. */
#include "publisher/log_redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/num.h"
#include "common/partition.h"
#include "common/redis_login.h"
#include "publisher/config.h"
#include "publisher/gate.h"
#include "publisher/log.h"
#include "publisher/partition_log.h"
#include "publisher/servers.h"
#include "publisher/split.h"
#include "publisher/trouble.h"

#define NONCE_BYTES    16
#define RATE_PARTITION 0 /* where events are counted on a Cluster */

struct log_redis {
	const struct config *config;
	struct servers *servers;
	struct trouble trouble;
	unsigned partitions;         /* of a Cluster; 0: none */
	struct partition_log **logs; /* of each partition, from when it is needed; else of one */
	char own_key[2 * NONCE_BYTES + 1]; /* under which our own requests are remembered; "": not
					      made yet */
	uint64_t requests;                 /* of our own so far */
};

struct log_redis *log_redis_new(const struct config *config)
{
	struct log_redis *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->config = config;
	if (config->redis->url.kind == REDIS_CLUSTER)
		l->partitions = config->partitions;
	l->logs = calloc(l->partitions ? l->partitions : 1, sizeof(*l->logs));
	l->servers = servers_new(config->redis);
	if (l->logs && l->servers)
		return l;
	log_redis_free(l);
	return NULL;
}

void log_redis_free(struct log_redis *l)
{
	if (!l)
		return;
	for (unsigned i = 0; l->logs && i < (l->partitions ? l->partitions : 1); i++)
		free(l->logs[i]);
	free(l->logs);
	servers_free(l->servers);
	free(l);
}

/* To find a partition's tag takes time when there are many: it is done for those that are used.
 * NULL when out of memory. */
static struct partition_log *log_of(struct log_redis *l, unsigned partition)
{
	struct partition_log *log = l->logs[partition];
	char tag[PARTITION_TAG_BYTES] = "";

	if (log)
		return log;
	l->logs[partition] = log = calloc(1, sizeof(*log));
	if (!log) {
		trouble_tell(&l->trouble, "out of memory", "");
		return NULL;
	}
	if (l->partitions)
		log->slot = partition_tag(partition, l->partitions, tag);
	topic_space_init(&log->space, l->config->topic_prefix, tag);
	return log;
}

/* ---- who asks ---- */

/* A request, and what it is known by when it comes again. */
struct asked {
	const struct publish_log_request *request;
	struct span once, known_as;
	int64_t deadline;
	char number[1 + NUM_U64_DIGITS]; /* #N, of a request that has no key */
};

/* A key for requests that have none of their own, so that a second try is known by it. */
static int make_own_key(struct log_redis *l)
{
	unsigned char nonce[NONCE_BYTES];

	if (*l->own_key)
		return 0;
	if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce)) {
		trouble_tell(&l->trouble, "the system gives no random numbers", "getrandom");
		return -EIO;
	}
	for (size_t i = 0; i < sizeof(nonce); i++)
		snprintf(l->own_key + 2 * i, 3, "%02x", nonce[i]);
	return 0;
}

static int identify(struct log_redis *l, const struct publish_log_request *request,
		    struct asked *out)
{
	*out = (struct asked){
		.request = request,
		.once = request->key,
		.known_as = request->digest,
		.deadline = redis_sync_now() + (int64_t)l->config->redis_timeout_ms,
	};
	if (request->key.at)
		return 0;
	if (make_own_key(l) < 0)
		return -EIO;
	out->once = span_of(l->own_key);
	out->number[0] = '#';
	out->known_as =
		(struct span){out->number, 1 + num_format_u64(++l->requests, out->number + 1)};
	return 0;
}

static enum publish_log_outcome append_to(struct log_redis *l, const struct asked *asked,
					  struct partition_log *log,
					  const struct publish_log_request *request,
					  struct event_id *ids, uint64_t *wait_ms)
{
	struct partition_append a = {
		.log = log,
		.servers = l->servers,
		.trouble = &l->trouble,
		.config = l->config,
		.request = request,
		.once = asked->once,
		.known_as = asked->known_as,
		.rate_limit = l->partitions ? 0 : l->config->rate_limit,
		.sharded = l->partitions > 0,
		.deadline = asked->deadline,
	};
	enum publish_log_outcome outcome = partition_append(&a, ids);

	*wait_ms = a.wait_ms;
	return outcome;
}

/* ---- one log ---- */

/* The ids of n events become those of their copies, in the same array, from behind. */
static void spread_ids(const struct publish_log_request *request, struct event_id *ids)
{
	size_t copy = publish_log_copies(request);

	for (size_t i = request->n; i > 0; i--) {
		struct event_id id = ids[i - 1];

		for (size_t k = 0; k < request->events[i - 1].n_topics; k++)
			ids[--copy] = id;
	}
}

static enum publish_log_outcome append_to_one(struct log_redis *l, const struct asked *asked,
					      struct event_id *ids, uint64_t *wait_ms)
{
	struct partition_log *log = log_of(l, 0);
	enum publish_log_outcome outcome;

	if (!log)
		return PUBLISH_LOG_REFUSED;
	outcome = append_to(l, asked, log, asked->request, ids, wait_ms);
	if (outcome == PUBLISH_LOG_DONE)
		spread_ids(asked->request, ids);
	return outcome;
}

/* ---- partitions ---- */

/* What the first i parts have, whatever came of the next one. */
static enum publish_log_outcome after(size_t i, enum publish_log_outcome outcome,
				      struct trouble *trouble)
{
	if (i == 0)
		return outcome;
	if (outcome == PUBLISH_LOG_MISMATCH)
		trouble_tell(trouble, "the key stands for another request in one of them", "");
	return PUBLISH_LOG_PARTLY;
}

static enum publish_log_outcome append_parts(struct log_redis *l, const struct asked *asked,
					     const struct split *split, struct event_id *ids)
{
	struct event_id *of_events = calloc(asked->request->n, sizeof(*of_events));
	enum publish_log_outcome outcome = PUBLISH_LOG_REFUSED;
	uint64_t wait_ms;
	size_t i;

	if (!of_events)
		trouble_tell(&l->trouble, "out of memory", "");
	for (i = 0; of_events && i < split->n; i++) {
		const struct split_part *part = &split->parts[i];
		struct partition_log *log = log_of(l, part->partition);

		outcome = PUBLISH_LOG_REFUSED;
		if (log)
			outcome = append_to(l, asked, log, &part->request, of_events, &wait_ms);
		if (outcome != PUBLISH_LOG_DONE)
			break;
		split_place(part, of_events, ids);
	}
	free(of_events);
	return outcome == PUBLISH_LOG_DONE ? outcome : after(i, outcome, &l->trouble);
}

static enum publish_log_outcome append_split(struct log_redis *l, const struct asked *asked,
					     struct event_id *ids)
{
	enum publish_log_outcome outcome;
	struct split split;

	if (split_request(asked->request, l->partitions, &split) < 0) {
		trouble_tell(&l->trouble, "out of memory", "");
		return PUBLISH_LOG_REFUSED;
	}
	outcome = append_parts(l, asked, &split, ids);
	split_done(&split);
	return outcome;
}

static bool published_nothing(enum publish_log_outcome outcome)
{
	return outcome == PUBLISH_LOG_REFUSED || outcome == PUBLISH_LOG_LIMITED ||
	       outcome == PUBLISH_LOG_MISMATCH;
}

static enum publish_log_outcome count_and_append(struct log_redis *l, const struct gate *gate,
						 const struct asked *asked, bool counted,
						 struct event_id *ids, uint64_t *wait_ms)
{
	enum publish_log_outcome outcome = PUBLISH_LOG_DONE;

	if (l->config->rate_limit > 0 && !counted) {
		struct partition_log *at = log_of(l, RATE_PARTITION);

		outcome = at ? gate_count(gate, at, asked->request, wait_ms) : PUBLISH_LOG_REFUSED;
	}
	return outcome == PUBLISH_LOG_DONE ? append_split(l, asked, ids) : outcome;
}

static enum publish_log_outcome append_to_cluster(struct log_redis *l, const struct asked *asked,
						  struct event_id *ids, uint64_t *wait_ms)
{
	struct gate gate = {l->servers, &l->trouble, l->config, asked->deadline};
	enum publish_log_outcome outcome;
	struct partition_log *at;
	bool again;

	if (!asked->request->key.at)
		return count_and_append(l, &gate, asked, false, ids, wait_ms);
	at = log_of(l, partition_of(asked->request->key, l->partitions));
	if (!at)
		return PUBLISH_LOG_REFUSED;
	outcome = gate_claim(&gate, at, asked->request, &again);
	if (outcome != PUBLISH_LOG_DONE)
		return outcome;
	outcome = count_and_append(l, &gate, asked, again, ids, wait_ms);
	if (published_nothing(outcome) && !again)
		gate_unclaim(&gate, at, asked->request);
	return outcome;
}

static enum publish_log_outcome append(void *ctx, const struct publish_log_request *request,
				       struct event_id *ids, struct publish_log_refusal *refusal)
{
	enum publish_log_outcome outcome = PUBLISH_LOG_REFUSED;
	struct log_redis *l = ctx;
	struct asked asked;
	uint64_t wait_ms = 0;

	l->trouble.why = "";
	if (identify(l, request, &asked) == 0)
		outcome = l->partitions ? append_to_cluster(l, &asked, ids, &wait_ms)
					: append_to_one(l, &asked, ids, &wait_ms);
	if (outcome == PUBLISH_LOG_DONE)
		trouble_over(&l->trouble);
	*refusal = (struct publish_log_refusal){.why = l->trouble.why, .wait_ms = wait_ms};
	return outcome;
}

/* ---- the health check ---- */

/* The time begins when the slots are found. */
static enum redis_sync_status check_partitions(struct log_redis *l)
{
	unsigned slots[PARTITION_MAX];

	for (unsigned i = 0; i < l->partitions; i++) {
		struct partition_log *log = log_of(l, i);

		if (!log)
			return REDIS_SYNC_NOMEM;
		slots[i] = log->slot;
	}
	return servers_check(l->servers, slots, l->partitions,
			     redis_sync_now() + (int64_t)l->config->redis_timeout_ms);
}

static const char *ping(void *ctx)
{
	struct log_redis *l = ctx;
	enum redis_sync_status status = check_partitions(l);

	if (status == REDIS_SYNC_OK) {
		trouble_over(&l->trouble);
		return NULL;
	}
	trouble_tell_status(&l->trouble, status, servers_why(l->servers));
	return l->trouble.why;
}

struct publish_log log_redis_log(struct log_redis *l)
{
	return (struct publish_log){
		.ctx = l, .partitions = l->partitions, .append = append, .ping = ping};
}
