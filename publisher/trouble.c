/* trouble: see trouble.h. */
#include "publisher/trouble.h"

#include <string.h>

#include "common/log.h"

#define QUIET_MS 10000 /* the same trouble is logged this often at most */

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
		{"CROSSSLOT ",
		 "this Redis is a node of a Cluster (redis_url names two of its nodes, or "
		 "one twice)"},
		{"TRYAGAIN ", "the Redis Cluster is moving these keys"},
		{"MOVED ", "the Redis Cluster does not agree where these keys are"},
		{"ASK ", "the Redis Cluster does not agree where these keys are"},
		{"MASTERDOWN ", "Redis has lost its master"},
		{"UNBLOCKED ", "Redis is no master any more"},
		{"NOREPLICAS ", "Redis has too few replicas to take writes"},
		{"BUSY ", "Redis is busy with a script"},
		{"FULL ", "too many revocations are in force"},
		{"WRONGTYPE ", "a key of tidings in Redis holds something else"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strncmp(error, known[i].word, strlen(known[i].word)) == 0)
			return known[i].meaning;
	}
	return "Redis answered with an error";
}

void trouble_tell(struct trouble *t, const char *why, const char *words)
{
	int64_t now = redis_sync_now();
	char shown[256];

	t->why = why;
	if (t->told == why && now - t->told_at < QUIET_MS)
		return;
	t->told = why;
	t->told_at = now;
	log_error("can't publish: %s: %s", why,
		  log_quote(words, strlen(words), shown, sizeof(shown)));
}

void trouble_tell_error(struct trouble *t, const char *error)
{
	trouble_tell(t, explain(error), error);
}

void trouble_tell_status(struct trouble *t, enum redis_sync_status status, const char *words)
{
	const char *why = "the connection to Redis broke";

	switch (status) {
	case REDIS_SYNC_UNREACHABLE:
		why = strncmp(words, "CLUSTERDOWN ", 12) == 0 ? explain(words)
							      : "Redis can't be reached";
		break;
	case REDIS_SYNC_REFUSED: why = explain(words); break;
	case REDIS_SYNC_TIMEOUT: why = "Redis did not answer in time"; break;
	case REDIS_SYNC_NOMEM: why = "out of memory"; break;
	case REDIS_SYNC_BROKEN:
	case REDIS_SYNC_OK: break;
	}
	trouble_tell(t, why, words);
}

void trouble_over(struct trouble *t)
{
	if (t->told)
		log_info("Redis takes events again");
	t->told = NULL;
}
