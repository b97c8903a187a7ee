/* log_redis: see log_redis.h. Calls the script, once more when the connection broke (the script
 * knows the request by its once key, so that the second call finds what the first one did), and
 * puts what Redis says into words. Everything of one append happens within redis_timeout_ms. Owns
 * the link and the highest id that Redis acknowledged. */
#include "publisher/log_redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/num.h"
#include "common/redis_login.h"
#include "common/resp.h"
#include "common/topic.h"
#include "publisher/append_call.h"
#include "publisher/config.h"
#include "publisher/log.h"
#include "publisher/redis_sync.h"

#define COMMAND_MAX_BYTES   ((size_t)512 * 1024 * 1024) /* Redis takes no more in one */
#define COMMAND_FIRST_BYTES 2048
#define NONCE_BYTES         16
#define QUIET_MS            10000 /* the same trouble is logged this often at most */

struct log_redis {
	struct redis_sync *link;
	struct topic_space space;
	const struct config *config;
	struct event_id acknowledged;
	char own_key[2 * NONCE_BYTES + 1]; /* under which our own requests are remembered; "": not
					      made yet */
	uint64_t requests;                 /* of our own so far */
	const char *why;                   /* of the last failure, for people */
	const char *told;                  /* the last one that was logged, NULL when all is well */
	int64_t told_at;
};

struct log_redis *log_redis_new(const struct config *config)
{
	struct log_redis *l = calloc(1, sizeof(*l));
	struct redis_server server = redis_url_server(&config->redis->url, 0);

	if (!l)
		return NULL;
	l->config = config;
	topic_space_init(&l->space, config->topic_prefix, "");
	l->link = redis_sync_new(config->redis, &server);
	if (!l->link) {
		log_redis_free(l);
		return NULL;
	}
	return l;
}

void log_redis_free(struct log_redis *l)
{
	if (!l)
		return;
	redis_sync_free(l->link);
	free(l);
}

/* ---- what went wrong ---- */

/* What Redis means by the first word of an error. */
static const char *explain(const char *error)
{
	static const struct {
		const char *word, *meaning;
	} known[] = {
		{"LOADING ", "Redis is still loading its data"},
		{"READONLY ", "Redis is a replica that takes no writes"},
		{"OOM ", "Redis is out of memory (maxmemory)"},
		{"NOAUTH ", "Redis wants a password"},
		{"WRONGPASS ", "Redis refuses the password"},
		{"NOPERM ", "Redis's access rules don't permit this"},
		{"MISCONF ", "Redis can't save its data and takes no writes"},
		{"CLUSTERDOWN ", "the Redis Cluster is down"},
		{"MASTERDOWN ", "Redis has lost its master"},
		{"NOREPLICAS ", "Redis has too few replicas to take writes"},
		{"BUSY ", "Redis is busy with a script"},
		{"WRONGTYPE ", "a key of tidings in Redis holds something else"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strncmp(error, known[i].word, strlen(known[i].word)) == 0)
			return known[i].meaning;
	}
	return "Redis answered with an error";
}

/* Notes the failure; one log line for each kind of trouble, not for each request that meets it. */
static void complain(struct log_redis *l, const char *why, const char *words)
{
	int64_t now = redis_sync_now();
	char shown[256];

	l->why = why;
	if (l->told == why && now - l->told_at < QUIET_MS)
		return;
	l->told = why;
	l->told_at = now;
	log_error("can't publish: %s: %s", why,
		  log_quote(words, strlen(words), shown, sizeof(shown)));
}

static void be_well(struct log_redis *l)
{
	if (l->told)
		log_info("Redis takes events again");
	l->told = NULL;
}

static void complain_of_link(struct log_redis *l, enum redis_sync_status status)
{
	const char *words = redis_sync_why(l->link), *why = "the connection to Redis broke";

	switch (status) {
	case REDIS_SYNC_UNREACHABLE: why = "Redis can't be reached"; break;
	case REDIS_SYNC_REFUSED: why = explain(words); break;
	case REDIS_SYNC_TIMEOUT: why = "Redis did not answer in time"; break;
	case REDIS_SYNC_NOMEM: why = "out of memory"; break;
	case REDIS_SYNC_BROKEN:
	case REDIS_SYNC_OK: break;
	}
	complain(l, why, words);
}

/* ---- appending ---- */

/* One append on its way. */
struct attempt {
	struct log_redis *l;
	struct append_call call;
	int64_t deadline;
	uint64_t wait_ms; /* until the limit of events a second lets it pass */
	bool maybe;       /* some call was sent and not answered: it may have been carried out */
};

static bool is_error(const redisReply *reply, const char *word)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, word, strlen(word)) == 0;
}

static enum redis_sync_status call_script(struct attempt *a, bool with_text, redisReply **reply)
{
	enum redis_sync_status status = REDIS_SYNC_NOMEM;
	struct buf command;

	buf_init(&command, COMMAND_MAX_BYTES);
	buf_reserve(&command, COMMAND_FIRST_BYTES); /* or not: it grows */
	if (append_call_write(&a->call, with_text, &command) == 0) {
		status = redis_sync_call(a->l->link, (struct span){command.data, command.len},
					 a->deadline, reply);
		a->maybe |= status != REDIS_SYNC_OK && redis_sync_sent(a->l->link);
	}
	buf_done(&command);
	return status;
}

/* A Redis that was restarted does not know the script any more. */
static enum redis_sync_status call_or_teach(struct attempt *a, redisReply **reply)
{
	enum redis_sync_status status = call_script(a, false, reply);

	if (status != REDIS_SYNC_OK || !is_error(*reply, "NOSCRIPT"))
		return status;
	freeReplyObject(*reply);
	return call_script(a, true, reply);
}

/* Reads {'new'|'again', id, …}. Returns 0 or -EPROTO. */
static int read_ids(const redisReply *reply, struct event_id *ids, size_t n)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != n + 1)
		return -EPROTO;
	for (size_t i = 0; i < n; i++) {
		const redisReply *id = reply->element[i + 1];

		if (id->type != REDIS_REPLY_STRING || event_id_parse(id->str, id->len, &ids[i]) < 0)
			return -EPROTO;
	}
	return 0;
}

/* True for {'limited', milliseconds}. */
static bool read_limit(const redisReply *reply, uint64_t *wait_ms)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[1]->type != REDIS_REPLY_INTEGER || reply->element[1]->integer < 0)
		return false;
	*wait_ms = (uint64_t)reply->element[1]->integer;
	return true;
}

static enum publish_log_outcome read_reply(struct attempt *a, const redisReply *reply,
					   struct event_id *ids)
{
	struct log_redis *l = a->l;
	size_t n = a->call.request->n;

	if (is_error(reply, "MISMATCH "))
		return PUBLISH_LOG_MISMATCH;
	if (reply->type == REDIS_REPLY_ERROR) {
		complain(l, explain(reply->str), reply->str);
		return a->maybe ? PUBLISH_LOG_UNKNOWN : PUBLISH_LOG_REFUSED;
	}
	if (read_limit(reply, &a->wait_ms))
		return PUBLISH_LOG_LIMITED;
	if (read_ids(reply, ids, n) < 0) {
		complain(l, "Redis gave an answer that is none", "");
		return PUBLISH_LOG_UNKNOWN;
	}
	/* ids of one request rise, but an answer given again may be older than what was heard since
	 */
	if (event_id_compare(ids[n - 1], l->acknowledged) > 0)
		l->acknowledged = ids[n - 1];
	be_well(l);
	return PUBLISH_LOG_DONE;
}

static enum publish_log_outcome run(struct attempt *a, struct event_id *ids)
{
	enum publish_log_outcome outcome;
	enum redis_sync_status status;
	redisReply *reply;

	status = call_or_teach(a, &reply);
	if (status == REDIS_SYNC_BROKEN)
		status = call_or_teach(a, &reply);
	if (status != REDIS_SYNC_OK) {
		complain_of_link(a->l, status);
		return a->maybe ? PUBLISH_LOG_UNKNOWN : PUBLISH_LOG_REFUSED;
	}
	outcome = read_reply(a, reply, ids);
	freeReplyObject(reply);
	return outcome;
}

/* A key for a request that has none of its own, so that the second try is known by it. out[2 *
 * NONCE_BYTES + 1]. */
static int make_nonce(char *out)
{
	unsigned char nonce[NONCE_BYTES];

	if (getrandom(nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
		return -EIO;
	for (size_t i = 0; i < sizeof(nonce); i++)
		snprintf(out + 2 * i, 3, "%02x", nonce[i]);
	return 0;
}

static enum publish_log_outcome append(void *ctx, const struct publish_log_request *request,
				       struct event_id *ids, struct publish_log_refusal *refusal)
{
	struct log_redis *l = ctx;
	char number[1 + NUM_U64_DIGITS] = "#";
	struct attempt a = {
		.l = l,
		.call = {.request = request,
			 .space = &l->space,
			 .server = span_of(""),
			 .acknowledged_by = span_of(""),
			 .once = request->key,
			 .known_as = request->digest,
			 .acknowledged = l->acknowledged,
			 .history_size = l->config->history_size,
			 .history_seconds = l->config->history_seconds,
			 .rate_limit = l->config->rate_limit},
		.deadline = redis_sync_now() + (int64_t)l->config->redis_timeout_ms,
	};
	enum publish_log_outcome outcome = PUBLISH_LOG_REFUSED;

	l->why = "";
	if (request->key.at) {
		outcome = run(&a, ids);
	} else if (*l->own_key || make_nonce(l->own_key) == 0) {
		a.call.once = span_of(l->own_key);
		a.call.known_as =
			(struct span){number, 1 + num_format_u64(++l->requests, number + 1)};
		outcome = run(&a, ids);
	} else {
		complain(l, "the system gives no random numbers", "getrandom");
	}
	*refusal = (struct publish_log_refusal){.why = l->why, .wait_ms = a.wait_ms};
	return outcome;
}

/* ---- the health check ---- */

static enum redis_sync_status call_ping(struct log_redis *l, redisReply **reply)
{
	static const char ping[] = "*1\r\n$4\r\nPING\r\n";
	int64_t deadline = redis_sync_now() + (int64_t)l->config->redis_timeout_ms;
	struct span command = {ping, sizeof(ping) - 1};
	enum redis_sync_status status = redis_sync_call(l->link, command, deadline, reply);

	return status == REDIS_SYNC_BROKEN ? redis_sync_call(l->link, command, deadline, reply)
					   : status;
}

static const char *ping(void *ctx)
{
	struct log_redis *l = ctx;
	redisReply *reply;
	enum redis_sync_status status = call_ping(l, &reply);

	l->why = NULL;
	if (status != REDIS_SYNC_OK) {
		complain_of_link(l, status);
		return l->why;
	}
	if (reply->type == REDIS_REPLY_ERROR)
		complain(l, explain(reply->str), reply->str);
	else
		be_well(l);
	freeReplyObject(reply);
	return l->why;
}

struct publish_log log_redis_log(struct log_redis *l)
{
	return (struct publish_log){.ctx = l, .append = append, .ping = ping};
}
