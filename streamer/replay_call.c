/* replay_call: see replay_call.h. What Redis answers is data: numbers out of range and texts that
 * are no ids make it no answer at all. */
#include "streamer/replay_call.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/resp.h"
#include "common/topic.h"
#include "streamer/replay_lua.h"

#define PAGE_ENTRIES 128 /* of one log in one answer */
#define ANSWER_BYTES ((size_t)4 * 1024 * 1024)
#define PARTS        9
#define LEFT_MAX_MS  ((size_t)1 << 52) /* what a number of Lua holds exactly */

enum {
	KEYS_FIXED = 4, /* state, index, log of the newest event, revocations */
	ARGS_FIXED = 8,
	ARGS_OF_TOPIC = 2,
};

/* The script stops behind the event that passes its limit, and counts more for an entry than its
 * numbers take. */
size_t replay_call_max_bytes(size_t max_message)
{
	return 2 * (ANSWER_BYTES + max_message);
}

static int write_key(struct buf *b, const struct topic_space *space, const char *name,
		     struct span rest)
{
	char key[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_key(space, name, rest, key);

	return resp_word(b, (struct span){key, len});
}

static int write_keys(const struct log_question *q, const struct topic_space *space, struct buf *b)
{
	struct span none = {"", 0};
	bool newest = q->newest.topic.at;
	int rc = write_key(b, space, "state", none);

	if (rc == 0)
		rc = write_key(b, space, "index", none);
	if (rc == 0)
		rc = write_key(b, space, newest ? "log:" : "index",
			       newest ? q->newest.topic : none);
	if (rc == 0)
		rc = write_key(b, space, "revoked", none);
	for (size_t i = 0; rc == 0 && i < q->n; i++)
		rc = write_key(b, space, "log:", q->topics[i].topic);
	return rc;
}

static int write_id(struct event_id id, struct buf *b)
{
	char text[EVENT_ID_MAX_BYTES + 1];

	return resp_word(b, (struct span){text, event_id_format(id, text)});
}

static int write_known(const struct log_question *q, struct buf *b)
{
	int rc = event_id_is_zero(q->known) ? resp_text(b, "") : write_id(q->known, b);

	if (rc == 0 && !q->newest.topic.at) {
		rc = resp_text(b, "");
		return rc < 0 ? rc : resp_text(b, "");
	}
	if (rc == 0)
		rc = resp_word(b, q->newest.topic);
	return rc < 0 ? rc : write_id(q->newest.from, b);
}

static int write_arguments(const struct log_question *q, struct buf *b)
{
	int rc = write_known(q, b);

	if (rc == 0)
		rc = resp_number(b, PAGE_ENTRIES);
	if (rc == 0)
		rc = resp_number(b, ANSWER_BYTES);
	if (rc == 0)
		rc = resp_word(b, q->server);
	if (rc == 0)
		rc = resp_word(b, q->known_by);
	if (rc == 0)
		rc = resp_text(b, q->revocations ? "1" : "");
	for (size_t i = 0; rc == 0 && i < q->n; i++) {
		rc = resp_word(b, q->topics[i].topic);
		if (rc == 0)
			rc = write_id(q->topics[i].from, b);
	}
	return rc;
}

int replay_call_write(const struct log_question *q, const struct topic_space *space, bool with_text,
		      struct buf *b)
{
	size_t keys = KEYS_FIXED + q->n;
	int rc = resp_command(b, 3 + keys + ARGS_FIXED + ARGS_OF_TOPIC * q->n);

	if (rc == 0)
		rc = resp_text(b, with_text ? "EVAL" : "EVALSHA");
	if (rc == 0)
		rc = resp_text(b, with_text ? replay_lua : REPLAY_LUA_SHA);
	if (rc == 0)
		rc = resp_number(b, keys);
	if (rc == 0)
		rc = write_keys(q, space, b);
	return rc < 0 ? rc : write_arguments(q, b);
}

/* ---- the answer ---- */

static int read_id(const redisReply *r, bool may_be_empty, struct event_id *id)
{
	if (r->type != REDIS_REPLY_STRING)
		return -EPROTO;
	if (may_be_empty && r->len == 0) {
		*id = (struct event_id){0, 0};
		return 0;
	}
	return event_id_parse(r->str, (size_t)r->len, id) == 0 ? 0 : -EPROTO;
}

static int read_number(const redisReply *r, size_t limit, size_t *out)
{
	if (r->type != REDIS_REPLY_INTEGER || r->integer < 0 || (size_t)r->integer >= limit)
		return -EPROTO;
	*out = (size_t)r->integer;
	return 0;
}

static int read_news(const redisReply *r, size_t n, struct event_id *last_ids)
{
	size_t topic;

	if (r->type != REDIS_REPLY_ARRAY || r->elements % 2 != 0)
		return -EPROTO;
	for (size_t i = 0; i < r->elements; i += 2) {
		if (read_number(r->element[i], n, &topic) != 0 ||
		    read_id(r->element[i + 1], false, &last_ids[topic]) != 0)
			return -EPROTO;
	}
	return 0;
}

static int read_entry(redisReply *const *r, size_t n, struct log_entry *e)
{
	if (read_id(r[0], false, &e->id) != 0 || read_number(r[1], n, &e->topic) != 0 ||
	    r[2]->type != REDIS_REPLY_STRING)
		return -EPROTO;
	e->message = (struct span){r[2]->str, (size_t)r[2]->len};
	e->copy = read_id(r[2], false, &e->prev) == 0;
	return 0;
}

/* A copy follows what it is a copy of, which may be one itself. */
static int follow(struct log_entry *e, bool first)
{
	if (!first && event_id_compare(e->id, e[-1].id) < 0)
		return -EPROTO;
	if (!e->copy)
		return 0;
	if (first || event_id_compare(e->id, e[-1].id) != 0)
		return -EPROTO;
	e->message = e[-1].message;
	return 0;
}

/* In the order of ids: walks and searches rely on it. */
static int read_entries(const redisReply *r, size_t n, struct replay_reply *out)
{
	size_t count = r->elements / 3;

	if (r->type != REDIS_REPLY_ARRAY || r->elements % 3 != 0)
		return -EPROTO;
	out->entries = calloc(count ? count : 1, sizeof(*out->entries));
	if (!out->entries)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct log_entry *e = &out->entries[i];
		if (read_entry(r->element + 3 * i, n, e) != 0 || follow(e, i == 0) != 0)
			return -EPROTO;
	}
	out->answer.entries = out->entries;
	out->answer.n_entries = count;
	return 0;
}

static int read_revocations(const redisReply *r, struct replay_reply *out)
{
	size_t count = r->elements / 2;

	if (r->type != REDIS_REPLY_ARRAY || r->elements % 2 != 0)
		return -EPROTO;
	if (count == 0)
		return 0;
	out->revocations = calloc(count, sizeof(*out->revocations));
	if (!out->revocations)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const redisReply *text = r->element[2 * i];
		size_t left;

		if (text->type != REDIS_REPLY_STRING ||
		    read_number(r->element[2 * i + 1], LEFT_MAX_MS, &left) != 0)
			return -EPROTO;
		out->revocations[i] = (struct log_revocation){{text->str, (size_t)text->len}, left};
	}
	out->answer.revocations = out->revocations;
	out->answer.n_revocations = count;
	return 0;
}

static int read_positions(redisReply *const *r, struct log_answer *a)
{
	if (read_id(r[0], false, &a->at) != 0 || read_id(r[1], true, &a->last) != 0 ||
	    read_id(r[2], true, &a->mark) != 0 || r[3]->type != REDIS_REPLY_STRING ||
	    read_id(r[4], false, &a->through) != 0)
		return -EPROTO;
	a->complete = r[3]->len == 1 && r[3]->str[0] == '1';
	return 0;
}

int replay_call_read(const struct redisReply *r, size_t n, struct replay_reply *out)
{
	if (r->type != REDIS_REPLY_ARRAY || r->elements != PARTS ||
	    read_positions(r->element, &out->answer) != 0)
		return -EPROTO;
	out->last_ids = calloc(n ? n : 1, sizeof(*out->last_ids));
	if (!out->last_ids)
		return -ENOMEM;
	out->answer.last_ids = out->last_ids;
	int rc = read_id(r->element[7], true, &out->answer.floor);
	if (rc == 0)
		rc = read_news(r->element[5], n, out->last_ids);
	if (rc == 0)
		rc = read_revocations(r->element[8], out);
	return rc < 0 ? rc : read_entries(r->element[6], n, out);
}

void replay_reply_done(struct replay_reply *out)
{
	free(out->last_ids);
	free(out->entries);
	free(out->revocations);
	memset(out, 0, sizeof(*out));
}
