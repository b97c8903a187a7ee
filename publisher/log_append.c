/* log_append: log_redis's way from a request to its ids. One Redis, and the master that sentinels
 * name, have one log; on a Cluster a request is cut into its partitions, and goes to each of them
 * in turn. Everything of one append happens within redis_timeout_ms. */
#include <errno.h>
#include <stdlib.h>

#include "common/num.h"
#include "common/partition.h"
#include "publisher/config.h"
#include "publisher/gate.h"
#include "publisher/log_redis_inside.h"
#include "publisher/partition_log.h"
#include "publisher/split.h"

#define RATE_PARTITION 0 /* where events are counted on a Cluster */

/* ---- who asks ---- */

/* A request, and what it is known by when it comes again. */
struct asked {
	const struct publish_log_request *request;
	struct span once, known_as;
	int64_t deadline;
	char number[1 + NUM_U64_DIGITS]; /* #N, of a request that has no key */
};

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
	if (!*l->own_key && log_redis_nonce(l, l->own_key) < 0)
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
		.ids = ids,
	};
	enum publish_log_outcome outcome = partition_append(&a);

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
	struct partition_log *log = log_redis_partition(l, 0);
	enum publish_log_outcome outcome;

	if (!log)
		return PUBLISH_LOG_REFUSED;
	outcome = append_to(l, asked, log, asked->request, ids, wait_ms);
	if (outcome == PUBLISH_LOG_DONE)
		spread_ids(asked->request, ids);
	return outcome;
}

/* ---- partitions ---- */

/* What all have, when the first i parts of n have it, whatever came of the next one. */
static enum publish_log_outcome after(size_t i, size_t n, enum publish_log_outcome outcome,
				      struct trouble *trouble)
{
	if (i == 0 && (outcome != PUBLISH_LOG_UNSAFE || n == 1))
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
		struct partition_log *log = log_redis_partition(l, part->partition);

		outcome = PUBLISH_LOG_REFUSED;
		if (log)
			outcome = append_to(l, asked, log, &part->request, of_events, &wait_ms);
		if (outcome != PUBLISH_LOG_DONE)
			break;
		split_place(part, of_events, ids);
	}
	free(of_events);
	return outcome == PUBLISH_LOG_DONE ? outcome : after(i, split->n, outcome, &l->trouble);
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
		struct partition_log *at = log_redis_partition(l, RATE_PARTITION);

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
	at = log_redis_partition(l, partition_of(asked->request->key, l->partitions));
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

enum publish_log_outcome log_redis_append(void *ctx, const struct publish_log_request *request,
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
