/* log_control: log_redis's way from a control message to the streamers. They may be subscribed to
 * any partition of a Cluster, so the message goes to each of them in turn, with one id, by which
 * its copies are known. Everything happens within redis_timeout_ms. */
#include "common/buf.h"
#include "common/control.h"
#include "publisher/config.h"
#include "publisher/log_redis_inside.h"
#include "publisher/partition_control.h"
#include "publisher/partition_log.h"

/* The message as it travels. */
struct telling {
	struct control control; /* with its id */
	struct buf message, selector;
	int64_t deadline;
};

static int write_texts(struct log_redis *l, const struct control *message, struct telling *t)
{
	char nonce[LOG_NONCE_BYTES + 1];

	t->control = *message;
	if (log_redis_nonce(l, nonce) < 0)
		return -1;
	t->control.id_len = LOG_NONCE_BYTES;
	memcpy(t->control.id, nonce, LOG_NONCE_BYTES);
	if (control_format(&t->control, &t->message) == 0 &&
	    control_selector_format(&t->control.who, &t->selector) == 0)
		return 0;
	trouble_tell(&l->trouble, "out of memory", "");
	return -1;
}

static enum publish_log_outcome tell(struct log_redis *l, const struct telling *t,
				     unsigned partition, uint64_t *heard)
{
	const struct partition_log *log = l->logs[partition];
	struct partition_control p = {
		.servers = l->servers,
		.trouble = &l->trouble,
		.call = {.space = &log->space,
			 .sharded = l->partitions > 0,
			 .control = &t->control,
			 .message = {t->message.data, t->message.len},
			 .selector = {t->selector.data, t->selector.len}},
		.slot = log->slot,
		.wait_replicas = l->config->wait_replicas,
		.deadline = t->deadline,
	};
	enum publish_log_outcome outcome = partition_control(&p);

	if (outcome == PUBLISH_LOG_DONE && p.heard > *heard)
		*heard = p.heard;
	return outcome;
}

/* What all have, when the partitions before the i-th of n have it. */
static enum publish_log_outcome after(unsigned i, unsigned n, enum publish_log_outcome outcome)
{
	if (i > 0 || (outcome == PUBLISH_LOG_UNSAFE && n > 1))
		return PUBLISH_LOG_PARTLY;
	return outcome;
}

static enum publish_log_outcome tell_all(struct log_redis *l, struct telling *t, uint64_t *heard)
{
	unsigned n = l->partitions ? l->partitions : 1;

	for (unsigned i = 0; i < n; i++) {
		if (!log_redis_partition(l, i))
			return PUBLISH_LOG_REFUSED;
	}
	t->deadline = redis_sync_now() + (int64_t)l->config->redis_timeout_ms;
	for (unsigned i = 0; i < n; i++) {
		enum publish_log_outcome outcome = tell(l, t, i, heard);

		if (outcome != PUBLISH_LOG_DONE)
			return after(i, n, outcome);
	}
	trouble_over(&l->trouble);
	return PUBLISH_LOG_DONE;
}

enum publish_log_outcome log_redis_control(void *ctx, const struct control *message,
					   uint64_t *heard, struct publish_log_refusal *refusal)
{
	enum publish_log_outcome outcome = PUBLISH_LOG_REFUSED;
	struct log_redis *l = ctx;
	struct telling t;

	*heard = 0;
	l->trouble.why = "";
	buf_init(&t.message, CONTROL_MAX_BYTES);
	buf_init(&t.selector, CONTROL_MAX_BYTES);
	if (write_texts(l, message, &t) == 0)
		outcome = tell_all(l, &t, heard);
	buf_done(&t.message);
	buf_done(&t.selector);
	*refusal = (struct publish_log_refusal){.why = l->trouble.why};
	return outcome;
}
