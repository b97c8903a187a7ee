/* publish_case: see publish_case.h. */
#include "tests/unit/publish_case.h"

#include <stdio.h>
#include <string.h>

#include "common/control.h"
#include "publisher/access.h"
#include "tests/unit/run.h"

enum { ANSWER_BYTES = 64 * 1024 };

/* ---- a log that remembers ---- */

static void remember_event(struct memory *m, const struct publish_log_event *e)
{
	size_t len = strlen(m->messages), room = sizeof(m->messages) - len;
	int n = snprintf(m->messages + len, room, "%.*sID%.*sPREV%.*s ->", (int)e->parts.head.len,
			 e->parts.head.at, (int)e->parts.middle.len, e->parts.middle.at,
			 (int)e->parts.tail.len, e->parts.tail.at);

	for (size_t i = 0; i < e->n_topics; i++)
		n += snprintf(m->messages + len + n, room - (size_t)n, " %.*s",
			      (int)e->topics[i].len, e->topics[i].at);
	snprintf(m->messages + len + n, room - (size_t)n, "\n");
}

static enum publish_log_outcome append(void *ctx, const struct publish_log_request *request,
				       struct event_id *ids, struct publish_log_refusal *refusal)
{
	struct memory *m = ctx;
	size_t copy = 0;

	m->appends++;
	m->n_events = request->n;
	m->messages[0] = '\0';
	for (size_t i = 0; i < request->n; i++) {
		if (request->n < 10)
			remember_event(m, &request->events[i]);
		for (size_t k = 0; k < request->events[i].n_topics; k++)
			ids[copy++] = (struct event_id){100, i};
	}
	snprintf(m->key, sizeof(m->key), "%.*s", (int)request->key.len,
		 request->key.at ? request->key.at : "");
	snprintf(m->digest, sizeof(m->digest), "%.*s", (int)request->digest.len,
		 request->digest.at ? request->digest.at : "");
	refusal->why = "Redis is on holiday";
	refusal->wait_ms = 1500;
	return m->outcome;
}

static enum publish_log_outcome control(void *ctx, const struct control *message, uint64_t *heard,
					struct publish_log_refusal *refusal)
{
	struct memory *m = ctx;
	struct buf text;

	buf_init(&text, sizeof(m->messages) - 1);
	ck_assert_int_eq(control_format(message, &text), 0);
	memcpy(m->messages, text.data, text.len + 1);
	buf_done(&text);
	m->controls++;
	*heard = 3;
	refusal->why = "Redis is on holiday";
	return m->outcome;
}

static const char *ping(void *ctx)
{
	struct memory *m = ctx;

	m->pings++;
	return m->ill;
}

/* ---- a web server made of words ---- */

static const char *param(void *ctx, const char *name)
{
	struct server *s = ctx;

	for (size_t i = 0; i < MAX_PARAMS && s->params[i][0]; i++) {
		if (strcmp(s->params[i][0], name) == 0)
			return s->params[i][1];
	}
	return NULL;
}

static long read_body(void *ctx, char *bytes, size_t size)
{
	struct server *s = ctx;
	size_t n = s->body_len - s->taken;

	if (s->breaks_at && s->taken >= s->breaks_at)
		return -1;
	n = n < size ? n : size;
	n = s->piece && s->piece < n ? s->piece : n;
	if (n > 0)
		memcpy(bytes, s->body + s->taken, n);
	s->taken += n;
	return (long)n;
}

static int write_answer(void *ctx, const char *bytes, size_t len)
{
	struct server *s = ctx;

	return s->gone ? -1 : buf_append(&s->answer, bytes, len);
}

void case_begin(struct publish_case *c, enum handle_auth auth)
{
	static const char tokens[] = "shop secret\ncron limited a b:*\n"
				     "boss bossy +control\nward warden a +control b:*\n";
	struct access_error error;

	memset(c, 0, sizeof(*c));
	c->config = (struct handle_config){auth, MAX_BODY, MAX_MESSAGE};
	if (auth == HANDLE_AUTH_TOKEN)
		c->tokens = access_tokens_parse(tokens, sizeof(tokens) - 1, &error);
	buf_init(&c->server.answer, ANSWER_BYTES);
}

void case_end(struct publish_case *c)
{
	access_tokens_free(c->tokens);
	buf_done(&c->server.answer);
}

void case_give(struct publish_case *c, const char *name, const char *value)
{
	size_t i = 0;

	while (c->server.params[i][0] && strcmp(c->server.params[i][0], name) != 0)
		i++;
	ck_assert_uint_lt(i, MAX_PARAMS);
	c->server.params[i][0] = name;
	c->server.params[i][1] = value;
}

struct exchange case_exchange(struct publish_case *c)
{
	return (struct exchange){&c->server, param, read_body, write_answer};
}

struct publish_log case_log(struct publish_case *c)
{
	return (struct publish_log){
		.ctx = &c->memory, .append = append, .control = control, .ping = ping};
}

unsigned case_serve(struct publish_case *c)
{
	struct exchange x = case_exchange(c);
	struct publish_log log = case_log(c);
	unsigned status = 0;

	buf_clear(&c->server.answer);
	c->server.taken = 0;
	ck_assert_int_eq(exchange_serve(&x, &c->config, c->tokens, &log), 0);
	ck_assert_msg(strncmp(c->server.answer.data, "Status: ", 8) == 0, "%s",
		      c->server.answer.data);
	for (const char *at = c->server.answer.data + 8; *at >= '0' && *at <= '9'; at++)
		status = status * 10 + (unsigned)(*at - '0');
	return status;
}

unsigned case_post(struct publish_case *c, const char *type, const char *body)
{
	case_give(c, "REQUEST_METHOD", "POST");
	case_give(c, "CONTENT_TYPE", type);
	c->server.body = body;
	c->server.body_len = strlen(body);
	return case_serve(c);
}

bool case_says(const struct publish_case *c, const char *text)
{
	return strstr(c->server.answer.data, text) != NULL;
}
