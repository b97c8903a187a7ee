/* sentinel_sync: see sentinel_sync.h. A sentinel is believed only when the server that it names
 * says of itself, by ROLE, that it is the master: one that is behind the times, or lies, is passed
 * over. Owns the connection to the master; those to sentinels live for one question. */
#include "publisher/sentinel_sync.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/redis_address.h"
#include "common/redis_login.h"
#include "common/resp.h"
#include "common/sentinel_reply.h"

#define QUESTION_MAX_BYTES 4096
#define WHY_BYTES          512

static const char role[] = "*1\r\n$4\r\nROLE\r\n";

struct sentinel_sync {
	const struct redis_login *login;
	struct redis_login plain, signed_in; /* for sentinels: without and with user and password */
	size_t next;                         /* the one that is asked first */
	struct redis_sync *master;           /* NULL: to be found */
	char name[REDIS_ADDRESS_BYTES];      /* the master's */
	char why[WHY_BYTES];
};

struct sentinel_sync *sentinel_sync_new(const struct redis_login *login)
{
	struct sentinel_sync *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->login = login;
	s->signed_in = s->plain = *login; /* views: never ended */
	s->signed_in.url.db = s->plain.url.db = 0;
	s->plain.url.user = s->plain.url.password = NULL;
	s->plain.password_file = NULL;
	return s;
}

static void lose_master(struct sentinel_sync *s)
{
	redis_sync_free(s->master);
	s->master = NULL;
}

void sentinel_sync_free(struct sentinel_sync *s)
{
	if (!s)
		return;
	lose_master(s);
	free(s);
}

const char *sentinel_sync_why(const struct sentinel_sync *s)
{
	return s->why;
}

/* ---- asking a sentinel ---- */

static int write_question(const struct redis_login *login, struct buf *b)
{
	int rc = resp_command(b, 3);

	if (rc == 0)
		rc = resp_text(b, "SENTINEL");
	if (rc == 0)
		rc = resp_text(b, "get-master-addr-by-name");
	return rc < 0 ? rc : resp_text(b, login->url.master);
}

static enum redis_sync_status complain(struct sentinel_sync *s, const struct redis_server *who,
				       enum redis_sync_status status, const char *why)
{
	snprintf(s->why, sizeof(s->why), "sentinel %s:%u: %s", who->host, who->port, why);
	return status;
}

/* Asks who the master is, with or without signing in. */
static enum redis_sync_status ask(struct sentinel_sync *s, const struct redis_server *who,
				  const struct redis_login *login, int64_t deadline,
				  redisReply **reply)
{
	enum redis_sync_status status = REDIS_SYNC_NOMEM;
	struct redis_sync *link = redis_sync_new(login, who);
	struct buf question;

	buf_init(&question, QUESTION_MAX_BYTES);
	if (link && write_question(login, &question) == 0)
		status = redis_sync_call(link, (struct span){question.data, question.len}, deadline,
					 reply);
	if (status != REDIS_SYNC_OK)
		complain(s, who, status, link ? redis_sync_why(link) : "out of memory");
	buf_done(&question);
	redis_sync_free(link);
	return status;
}

static bool wants_password(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOAUTH", 6) == 0;
}

static enum redis_sync_status ask_or_sign_in(struct sentinel_sync *s,
					     const struct redis_server *who, int64_t deadline,
					     redisReply **reply)
{
	enum redis_sync_status status = ask(s, who, &s->plain, deadline, reply);

	if (status != REDIS_SYNC_OK || !wants_password(*reply) ||
	    (!s->login->url.password && !s->login->password_file))
		return status;
	freeReplyObject(*reply);
	return ask(s, who, &s->signed_in, deadline, reply);
}

static enum redis_sync_status ask_for_master(struct sentinel_sync *s,
					     const struct redis_server *who, int64_t deadline,
					     struct redis_address *out)
{
	enum redis_sync_status status;
	redisReply *reply;
	int rc;

	status = ask_or_sign_in(s, who, deadline, &reply);
	if (status != REDIS_SYNC_OK)
		return status;
	rc = sentinel_reply_read(reply, out);
	if (rc == -ENOENT)
		status = complain(s, who, REDIS_SYNC_UNREACHABLE, "it knows no such master");
	else if (rc < 0)
		status = complain(s, who, REDIS_SYNC_UNREACHABLE,
				  reply->type == REDIS_REPLY_ERROR ? reply->str
								   : "an answer that is none");
	freeReplyObject(reply);
	return status;
}

/* ---- the master ---- */

/* Does it call itself the master? REFUSED and why, when not. */
static enum redis_sync_status read_role(struct sentinel_sync *s, const char *name,
					redisReply *reply)
{
	enum redis_sync_status status = REDIS_SYNC_OK;

	if (reply->type == REDIS_REPLY_ERROR) {
		snprintf(s->why, sizeof(s->why), "%s", reply->str);
		status = place_declines(reply->str) ? REDIS_SYNC_UNREACHABLE : REDIS_SYNC_REFUSED;
	} else if (!sentinel_reply_is_master(reply)) {
		snprintf(s->why, sizeof(s->why), "%s, which a sentinel names, is no master", name);
		status = REDIS_SYNC_UNREACHABLE;
	}
	freeReplyObject(reply);
	return status;
}

static enum redis_sync_status meet(struct sentinel_sync *s, const struct redis_address *at,
				   int64_t deadline)
{
	struct redis_server server = {.host = at->host, .port = at->port};
	struct redis_sync *link = redis_sync_new(s->login, &server);
	enum redis_sync_status status = REDIS_SYNC_NOMEM;
	char name[REDIS_ADDRESS_BYTES];
	redisReply *reply;

	redis_address_format(at, name);
	if (link)
		status = redis_sync_call(link, (struct span){role, sizeof(role) - 1}, deadline,
					 &reply);
	if (status == REDIS_SYNC_OK)
		status = read_role(s, name, reply);
	else if (status == REDIS_SYNC_REFUSED) /* in Redis's own words, which are explained */
		snprintf(s->why, sizeof(s->why), "%s", redis_sync_why(link));
	else
		snprintf(s->why, sizeof(s->why), "%s: %s", name,
			 link ? redis_sync_why(link) : "out of memory");
	if (status != REDIS_SYNC_OK) {
		redis_sync_free(link);
		return status;
	}
	s->master = link;
	memcpy(s->name, name, sizeof(name));
	return status;
}

/* A share of the time that is left, so that one that does not answer leaves some for the others. */
static int64_t share(int64_t deadline, size_t of)
{
	int64_t now = redis_sync_now();

	return deadline > now ? now + (deadline - now) / (int64_t)of : deadline;
}

/* One round. What a sentinel named and what was no master is not tried again when the next one
 * names it too. */
static enum redis_sync_status find(struct sentinel_sync *s, int64_t deadline)
{
	enum redis_sync_status status = REDIS_SYNC_UNREACHABLE;
	size_t n = s->login->url.n_hosts;
	struct redis_address tried = {0};

	for (size_t i = 0; i < n; i++) {
		size_t k = (s->next + i) % n;
		struct redis_server who = redis_url_server(&s->login->url, k);
		int64_t until = share(deadline, n - i);
		enum redis_sync_status asked;
		struct redis_address at;

		asked = ask_for_master(s, &who, share(until, 2), &at);
		if (asked == REDIS_SYNC_OK && redis_address_equal(&at, &tried))
			continue;
		status = asked == REDIS_SYNC_OK ? meet(s, &at, until) : asked;
		if (status == REDIS_SYNC_OK)
			s->next = k;
		if (status == REDIS_SYNC_OK || status == REDIS_SYNC_NOMEM)
			return status;
		if (asked == REDIS_SYNC_OK)
			tried = at;
	}
	return status;
}

enum redis_sync_status sentinel_sync_reach(struct sentinel_sync *s, int64_t deadline,
					   struct place *out)
{
	enum redis_sync_status status = s->master ? REDIS_SYNC_OK : find(s, deadline);

	if (status == REDIS_SYNC_OK)
		*out = (struct place){.link = s->master, .name = s->name};
	return status;
}

enum place_verdict sentinel_sync_judge(struct sentinel_sync *s, enum redis_sync_status status,
				       const struct redisReply *reply)
{
	if (status == REDIS_SYNC_NOMEM)
		return PLACE_ANSWERED;
	if (status != REDIS_SYNC_OK) {
		snprintf(s->why, sizeof(s->why), "%s: %s", s->name, redis_sync_why(s->master));
		lose_master(s);
		return PLACE_NEXT;
	}
	if (reply->type != REDIS_REPLY_ERROR)
		return PLACE_ANSWERED;
	if (place_declines(reply->str)) {
		lose_master(s);
		return PLACE_LATER;
	}
	/* one that was cut off from its replicas may have been replaced: the next request looks */
	if (strncmp(reply->str, "NOREPLICAS ", 11) == 0)
		lose_master(s);
	return PLACE_ANSWERED;
}

enum redis_sync_status sentinel_sync_check(struct sentinel_sync *s, int64_t deadline)
{
	enum redis_sync_status status;
	redisReply *reply;

	if (s->master) {
		status = redis_sync_call_linked(s->master, (struct span){role, sizeof(role) - 1},
						share(deadline, 2), &reply);
		if (status == REDIS_SYNC_OK && read_role(s, s->name, reply) == REDIS_SYNC_OK)
			return REDIS_SYNC_OK;
		lose_master(s);
	}
	return find(s, deadline);
}
