/* servers: see servers.h. Where servers are is known by sentinel_sync and cluster_sync; here is the
 * way round: reach a place, call there, let the answer be judged, try again. One Redis has a way of
 * its own, with nothing to look for and one second try. */
#include "publisher/servers.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/redis_login.h"
#include "publisher/cluster_sync.h"
#include "publisher/place.h"
#include "publisher/sentinel_sync.h"

#define COMMAND_MAX_BYTES   ((size_t)512 * 1024 * 1024) /* Redis takes no more in one */
#define COMMAND_FIRST_BYTES 2048
#define LATER_MS            25
#define SCARCE_MS           60 /* with less than that left, what failed says more than a new try */
#define SHORT_MS            20 /* less is not divided any more */
#define WHY_BYTES           640

struct servers {
	enum redis_kind kind;
	struct redis_sync *one; /* one of three */
	struct sentinel_sync *sentinel;
	struct cluster_sync *cluster;
	struct place place; /* of the last call */
	char why[WHY_BYTES];
};

struct servers *servers_new(const struct redis_login *login)
{
	struct servers *s = calloc(1, sizeof(*s));
	struct redis_server server = redis_url_server(&login->url, 0);

	if (!s)
		return NULL;
	s->kind = login->url.kind;
	switch (s->kind) {
	case REDIS_SINGLE: s->one = redis_sync_new(login, &server); break;
	case REDIS_SENTINEL: s->sentinel = sentinel_sync_new(login); break;
	case REDIS_CLUSTER: s->cluster = cluster_sync_new(login); break;
	}
	if (s->one || s->sentinel || s->cluster)
		return s;
	free(s);
	return NULL;
}

void servers_free(struct servers *s)
{
	if (!s)
		return;
	redis_sync_free(s->one);
	sentinel_sync_free(s->sentinel);
	cluster_sync_free(s->cluster);
	free(s);
}

const char *servers_why(const struct servers *s)
{
	return s->why;
}

const char *servers_name(const struct servers *s)
{
	return s->place.name;
}

static enum redis_sync_status fail(struct servers *s, enum redis_sync_status status,
				   const char *why)
{
	snprintf(s->why, sizeof(s->why), "%s", why);
	return status;
}

/* ---- one try at one place ---- */

static int write_command(const struct servers *s, const struct servers_call *call, bool with_text,
			 struct buf *command)
{
	buf_reserve(command, COMMAND_FIRST_BYTES); /* or not: it grows */
	return call->write(call->ctx, with_text, span_of(s->place.name), command);
}

/* A slot on its way is served there to who says that he knows. */
static enum redis_sync_status say_asking(const struct place *place, int64_t deadline)
{
	static const char asking[] = "*1\r\n$6\r\nASKING\r\n";
	enum redis_sync_status status;
	redisReply *reply;

	status = redis_sync_call_linked(place->link, (struct span){asking, sizeof(asking) - 1},
					deadline, &reply);
	if (status == REDIS_SYNC_OK)
		freeReplyObject(reply);
	return status;
}

static enum redis_sync_status send(struct servers *s, struct span command, int64_t deadline,
				   redisReply **reply)
{
	enum redis_sync_status status = REDIS_SYNC_OK;

	if (s->one)
		return redis_sync_call(s->one, command, deadline, reply);
	if (s->place.asking)
		status = say_asking(&s->place, deadline);
	return status == REDIS_SYNC_OK
		       ? redis_sync_call_linked(s->place.link, command, deadline, reply)
		       : status;
}

static enum redis_sync_status call_once(struct servers *s, struct servers_call *call,
					bool with_text, int64_t deadline)
{
	enum redis_sync_status status = REDIS_SYNC_NOMEM;
	redisReply *reply = NULL;
	struct buf command;

	buf_init(&command, COMMAND_MAX_BYTES);
	if (write_command(s, call, with_text, &command) == 0) {
		status = send(s, (struct span){command.data, command.len}, deadline, &reply);
		call->maybe |= status != REDIS_SYNC_OK && redis_sync_sent(s->place.link);
	}
	buf_done(&command);
	freeReplyObject(call->reply);
	call->reply = reply;
	return status;
}

static bool knows_no_script(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

/* A Redis that was restarted does not know the script any more, another one not yet. */
static enum redis_sync_status call_place(struct servers *s, struct servers_call *call,
					 int64_t deadline)
{
	enum redis_sync_status status = call_once(s, call, false, deadline);

	if (status == REDIS_SYNC_OK && knows_no_script(call->reply))
		status = call_once(s, call, true, deadline);
	return status;
}

/* ---- one Redis ---- */

static enum redis_sync_status call_the_one(struct servers *s, struct servers_call *call)
{
	enum redis_sync_status status;

	s->place = (struct place){.link = s->one, .name = ""};
	status = call_place(s, call, call->deadline);
	if (status == REDIS_SYNC_BROKEN)
		status = call_place(s, call, call->deadline);
	return status == REDIS_SYNC_OK ? status : fail(s, status, redis_sync_why(s->one));
}

/* ---- several ---- */

static enum redis_sync_status reach(struct servers *s, const struct servers_call *call)
{
	enum redis_sync_status status;

	if (s->sentinel) {
		status = sentinel_sync_reach(s->sentinel, call->deadline, &s->place);
		return status == REDIS_SYNC_OK ? status
					       : fail(s, status, sentinel_sync_why(s->sentinel));
	}
	status = cluster_sync_reach(s->cluster, call->slot, call->deadline, &s->place);
	return status == REDIS_SYNC_OK ? status : fail(s, status, cluster_sync_why(s->cluster));
}

static enum place_verdict judge(struct servers *s, enum redis_sync_status status,
				const redisReply *reply)
{
	enum place_verdict verdict;

	if (s->sentinel)
		verdict = sentinel_sync_judge(s->sentinel, status, reply);
	else
		verdict = cluster_sync_judge(s->cluster, status, reply);
	if (status != REDIS_SYNC_OK)
		fail(s, status,
		     s->sentinel ? sentinel_sync_why(s->sentinel) : cluster_sync_why(s->cluster));
	return verdict;
}

/* One that does not answer leaves time to find its successor; what is done twice for that does no
 * harm. */
static int64_t half(int64_t deadline)
{
	int64_t now = redis_sync_now();

	return deadline - now > SHORT_MS ? now + (deadline - now) / 2 : deadline;
}

static enum place_verdict try_once(struct servers *s, struct servers_call *call,
				   enum redis_sync_status *status)
{
	*status = reach(s, call);
	if (*status == REDIS_SYNC_OK) {
		*status = call_place(s, call, half(call->deadline));
		return judge(s, *status, call->reply);
	}
	return *status == REDIS_SYNC_REFUSED || *status == REDIS_SYNC_NOMEM ? PLACE_ANSWERED
									    : PLACE_LATER;
}

static enum redis_sync_status call_any(struct servers *s, struct servers_call *call)
{
	enum redis_sync_status status;
	enum place_verdict verdict;
	int64_t left;

	while ((verdict = try_once(s, call, &status)) != PLACE_ANSWERED) {
		left = call->deadline - redis_sync_now();
		if (left <= SCARCE_MS)
			break;
		if (verdict == PLACE_LATER)
			poll(NULL, 0, LATER_MS);
	}
	if (status != REDIS_SYNC_OK) { /* what an earlier try was answered is of no use */
		freeReplyObject(call->reply);
		call->reply = NULL;
	}
	return status;
}

enum redis_sync_status servers_call(struct servers *s, struct servers_call *call)
{
	call->reply = NULL;
	return s->one ? call_the_one(s, call) : call_any(s, call);
}

enum redis_sync_status servers_go_on(struct servers *s, struct span command, int64_t deadline,
				     struct redisReply **reply)
{
	enum redis_sync_status status =
		redis_sync_call_linked(s->place.link, command, deadline, reply);

	return status == REDIS_SYNC_OK ? status : fail(s, status, redis_sync_why(s->place.link));
}

/* ---- health ---- */

static int write_ping(void *ctx, bool with_text, struct span server, struct buf *out)
{
	(void)ctx;
	(void)with_text;
	(void)server;
	return buf_append_str(out, "*1\r\n$4\r\nPING\r\n");
}

static enum redis_sync_status check_the_one(struct servers *s, int64_t deadline)
{
	struct servers_call ping = {.write = write_ping, .deadline = deadline};
	enum redis_sync_status status = servers_call(s, &ping);

	if (status != REDIS_SYNC_OK)
		return status;
	if (ping.reply->type == REDIS_REPLY_ERROR)
		status = fail(s, REDIS_SYNC_REFUSED, ping.reply->str);
	freeReplyObject(ping.reply);
	return status;
}

enum redis_sync_status servers_check(struct servers *s, const unsigned *slots, size_t n,
				     int64_t deadline)
{
	enum redis_sync_status status;

	switch (s->kind) {
	case REDIS_SENTINEL:
		status = sentinel_sync_check(s->sentinel, deadline);
		return status == REDIS_SYNC_OK ? status
					       : fail(s, status, sentinel_sync_why(s->sentinel));
	case REDIS_CLUSTER:
		status = cluster_sync_check(s->cluster, slots, n, deadline);
		return status == REDIS_SYNC_OK ? status
					       : fail(s, status, cluster_sync_why(s->cluster));
	case REDIS_SINGLE: break;
	}
	return check_the_one(s, deadline);
}
