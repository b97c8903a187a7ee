/* test_handle: a whole request and its answer, with a log that only remembers. Requests go through
 * exchange, as from a web server that speaks neither FastCGI nor CGI. */
#include "publisher/handle.h"

#include <errno.h>
#include <stdio.h>

#include "common/buf.h"
#include "publisher/access.h"
#include "publisher/exchange.h"
#include "publisher/log.h"
#include "publisher/sha256.h"
#include "tests/unit/run.h"

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"

enum { MAX_PARAMS = 8, MAX_BODY = 4096, MAX_MESSAGE = 1024, ANSWER_BYTES = 64 * 1024 };

/* ---- a log that remembers ---- */

struct memory {
	enum publish_log_outcome outcome;
	const char *ill; /* answer of ping */
	unsigned appends, pings;
	size_t n_events;
	char messages[8192]; /* of the last append: `head<id>middle<prev>tail -> topics` and a line
				end each */
	char key[128], digest[128];
};

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
				       struct event_id *ids, const char **why)
{
	struct memory *m = ctx;

	m->appends++;
	m->n_events = request->n;
	m->messages[0] = '\0';
	for (size_t i = 0; i < request->n; i++) {
		if (request->n < 10)
			remember_event(m, &request->events[i]);
		ids[i] = (struct event_id){100, i};
	}
	snprintf(m->key, sizeof(m->key), "%.*s", (int)request->key.len,
		 request->key.at ? request->key.at : "");
	snprintf(m->digest, sizeof(m->digest), "%.*s", (int)request->digest.len,
		 request->digest.at ? request->digest.at : "");
	*why = "Redis is on holiday";
	return m->outcome;
}

static const char *ping(void *ctx)
{
	struct memory *m = ctx;

	m->pings++;
	return m->ill;
}

/* ---- a web server made of words ---- */

struct server {
	const char *params[MAX_PARAMS][2];
	const char *body;
	size_t body_len, piece; /* most bytes that one read gives; 0: any */
	size_t taken;           /* of the body */
	size_t breaks_at;       /* a read from here on fails; 0: none */
	bool gone;              /* nobody takes the answer */
	struct buf answer;
};

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

struct case_of {
	struct server server;
	struct memory memory;
	struct handle_config config;
	struct access_tokens *tokens;
};

static void begin(struct case_of *c, enum handle_auth auth)
{
	static const char tokens[] = "shop secret\ncron limited a b:*\n";
	struct access_error error;

	memset(c, 0, sizeof(*c));
	c->config = (struct handle_config){auth, MAX_BODY, MAX_MESSAGE};
	if (auth == HANDLE_AUTH_TOKEN)
		c->tokens = access_tokens_parse(tokens, sizeof(tokens) - 1, &error);
	buf_init(&c->server.answer, ANSWER_BYTES);
}

static void end(struct case_of *c)
{
	access_tokens_free(c->tokens);
	buf_done(&c->server.answer);
}

static void give(struct case_of *c, const char *name, const char *value)
{
	size_t i = 0;

	while (c->server.params[i][0] && strcmp(c->server.params[i][0], name) != 0)
		i++;
	ck_assert_uint_lt(i, MAX_PARAMS);
	c->server.params[i][0] = name;
	c->server.params[i][1] = value;
}

/* Serves the request and returns the answer's status. */
static unsigned serve(struct case_of *c)
{
	struct exchange x = {&c->server, param, read_body, write_answer};
	struct publish_log log = {&c->memory, append, ping};
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

static unsigned post(struct case_of *c, const char *type, const char *body)
{
	give(c, "REQUEST_METHOD", "POST");
	give(c, "CONTENT_TYPE", type);
	c->server.body = body;
	c->server.body_len = strlen(body);
	return serve(c);
}

static bool says(const struct case_of *c, const char *text)
{
	return strstr(c->server.answer.data, text) != NULL;
}

/* ---- publishing ---- */

START_TEST(an_event_goes_to_the_log_and_its_id_comes_back)
{
	struct case_of c;

	begin(&c, HANDLE_AUTH_NONE);
	ck_assert_uint_eq(
		post(&c, JSON,
		     "{\"topics\":[\"a\",\"b\"],\"event\":\"x\",\"data\":[1.0],\"key\":\"k\"}"),
		200);
	ck_assert(says(&c, "\r\n\r\n{\"id\":\"100-0\"}"));
	ck_assert_str_eq(c.memory.messages,
			 "{\"event\":\"x\",\"data\":[1.0],\"id\":\"ID\",\"prev\":\"PREV\","
			 "\"topics\":[\"a\",\"b\"],\"key\":\"k\"} -> a b\n");
	ck_assert_uint_eq(c.memory.appends, 1);
	ck_assert_str_eq(c.memory.key, "");
	end(&c);
}
END_TEST

START_TEST(a_batch_goes_to_the_log_in_one_call)
{
	struct case_of c;

	begin(&c, HANDLE_AUTH_NONE);
	ck_assert_uint_eq(post(&c, JSON, "[{\"topic\":\"a\"},{\"topic\":\"b\",\"data\":1}]"), 200);
	ck_assert(says(&c, "\r\n\r\n{\"ids\":[\"100-0\",\"100-1\"]}"));
	ck_assert_str_eq(
		c.memory.messages,
		"{\"event\":\"message\",\"data\":{},\"id\":\"ID\",\"prev\":\"PREV\"} -> a\n"
		"{\"event\":\"message\",\"data\":1,\"id\":\"ID\",\"prev\":\"PREV\"} -> b\n");
	ck_assert_uint_eq(c.memory.appends, 1);
	end(&c);
}
END_TEST

START_TEST(parts_of_many_events_stay_right_while_memory_moves)
{
	char *body = malloc(64 * 1024), *at = body;
	struct case_of c;

	begin(&c, HANDLE_AUTH_NONE);
	c.config.max_body = 64 * 1024;
	at += snprintf(at, 16, "[");
	for (int i = 0; i < 9; i++) {
		at += snprintf(at, 64, "%s{\"topic\":\"t%d\",\"data\":\"", i ? "," : "", i);
		memset(at, 'a' + i, 800);
		at += 800;
		at += snprintf(at, 16, "\"}");
	}
	snprintf(at, 16, "]");
	ck_assert_uint_eq(post(&c, JSON, body), 200);
	ck_assert_uint_eq(c.memory.n_events, 9);
	at = c.memory.messages;
	for (int i = 0; i < 9; i++) {
		char tail[64];

		ck_assert_int_eq(strncmp(at, "{\"event\":\"message\",\"data\":\"", 27), 0);
		for (int k = 0; k < 800; k++)
			ck_assert_int_eq(at[27 + k], 'a' + i);
		snprintf(tail, sizeof(tail), "\",\"id\":\"ID\",\"prev\":\"PREV\"} -> t%d\n", i);
		ck_assert_int_eq(strncmp(at + 827, tail, strlen(tail)), 0);
		at += 827 + strlen(tail);
	}
	free(body);
	end(&c);
}
END_TEST

START_TEST(nothing_is_published_when_one_of_many_is_wrong)
{
	struct case_of c;

	begin(&c, HANDLE_AUTH_NONE);
	ck_assert_uint_eq(post(&c, JSON, "[{\"topic\":\"a\"},{\"topic\":\"b c\"}]"), 422);
	ck_assert(says(&c, "\"field\":\"events[1].topic\""));
	ck_assert_uint_eq(c.memory.appends, 0);
	end(&c);
}
END_TEST

START_TEST(an_event_beyond_max_message_size_is_413)
{
	char body[2048], expected[64];
	unsigned fits = 0;

	for (size_t len = 900; len <= 1024; len++) {
		struct case_of c;
		int n = snprintf(body, sizeof(body),
				 "[{\"topic\":\"a\"},{\"topic\":\"a\",\"data\":\"");

		begin(&c, HANDLE_AUTH_NONE);
		memset(body + n, 'x', len);
		snprintf(body + n + len, sizeof(body) - (size_t)n - len, "\"}]");
		unsigned status = post(&c, JSON, body);
		snprintf(expected, sizeof(expected), "\"field\":\"events[1].data\"");
		ck_assert(status == 200 || (status == 413 && says(&c, expected)));
		ck_assert_uint_eq(c.memory.appends, status == 200);
		/* the message around the data, its ids at their longest */
		fits += status == 200;
		ck_assert_uint_eq(
			status, len +
							strlen("{\"event\":\"message\",\"data\":"
							       "\"\",\"id\":\"\",\"prev\":\"\"}") +
							2 * EVENT_ID_MAX_BYTES <=
						MAX_MESSAGE
					? 200
					: 413);
		end(&c);
	}
	ck_assert_uint_gt(fits, 0);
	ck_assert_uint_lt(fits, 125);
}
END_TEST

START_TEST(what_the_log_says_becomes_the_answer)
{
	static const struct {
		enum publish_log_outcome outcome;
		unsigned status;
		const char *says;
	} cases[] = {
		{PUBLISH_LOG_DONE, 200, "\"id\""},
		{PUBLISH_LOG_MISMATCH, 422, "\"field\":\"Idempotency-Key\""},
		{PUBLISH_LOG_REFUSED, 503, "not published: Redis is on holiday"},
		{PUBLISH_LOG_UNKNOWN, 503,
		 "Redis is on holiday; whether it was published is not known"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct case_of c;

		begin(&c, HANDLE_AUTH_NONE);
		c.memory.outcome = cases[i].outcome;
		ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}"), cases[i].status);
		ck_assert_msg(says(&c, cases[i].says), "%s", c.server.answer.data);
		ck_assert_int_eq(says(&c, "\r\nRetry-After: "), cases[i].status == 503);
		end(&c);
	}
}
END_TEST

/* ---- idempotency ---- */

/* What the log gets as key, for a request by this token with this key in header, else body. */
static const char *key_for(const char *authorization, const char *header, const char *body,
			   char *digest)
{
	static char key[128];
	struct case_of c;

	begin(&c, authorization ? HANDLE_AUTH_TOKEN : HANDLE_AUTH_NONE);
	if (authorization)
		give(&c, "HTTP_AUTHORIZATION", authorization);
	if (header)
		give(&c, "HTTP_IDEMPOTENCY_KEY", header);
	ck_assert_msg(post(&c, JSON, body) == 200, "%s", c.server.answer.data);
	snprintf(key, sizeof(key), "%s", c.memory.key);
	if (digest)
		snprintf(digest, 128, "%s", c.memory.digest);
	end(&c);
	return key;
}

START_TEST(header_and_member_are_the_same_key)
{
	char first[128], digest[128], other[128];

	snprintf(first, sizeof(first), "%s", key_for(NULL, "k", "{\"topic\":\"a\"}", digest));
	ck_assert_uint_eq(strlen(first), SHA256_HEX_BYTES);
	ck_assert_uint_eq(strlen(digest), SHA256_HEX_BYTES);
	ck_assert_str_eq(key_for(NULL, NULL, "{\"topic\":\"a\",\"idempotency_key\":\"k\"}", other),
			 first);
	ck_assert_str_ne(other, digest);
	ck_assert_str_eq(key_for(NULL, "k", "{\"topic\":\"a\",\"idempotency_key\":\"k\"}", NULL),
			 first);
	ck_assert_str_eq(key_for(NULL, "k", "[{\"topic\":\"a\"}]", NULL), first);
	ck_assert_str_ne(key_for(NULL, "K", "{\"topic\":\"a\"}", NULL), first);
	key_for(NULL, "k", "{\"topic\":\"a\"}", other);
	ck_assert_str_eq(other, digest);
}
END_TEST

START_TEST(keys_of_different_publishers_never_meet)
{
	char shop[128];

	snprintf(shop, sizeof(shop), "%s",
		 key_for("Bearer secret", "k", "{\"topic\":\"a\"}", NULL));
	ck_assert_str_ne(key_for("Bearer limited", "k", "{\"topic\":\"a\"}", NULL), shop);
	ck_assert_str_ne(key_for(NULL, "k", "{\"topic\":\"a\"}", NULL), shop);
	ck_assert_str_eq(key_for("Bearer secret", "k", "{\"topic\":\"b\"}", NULL), shop);
}
END_TEST

START_TEST(remote_users_have_keys_of_their_own)
{
	char keys[3][128];

	for (size_t i = 0; i < 3; i++) {
		struct case_of c;

		begin(&c, HANDLE_AUTH_REMOTE_USER);
		give(&c, "REMOTE_USER", i == 1 ? "bob" : "ann");
		give(&c, "HTTP_IDEMPOTENCY_KEY", "k");
		ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}"), 200);
		snprintf(keys[i], sizeof(keys[i]), "%s", c.memory.key);
		end(&c);
	}
	ck_assert_str_ne(keys[0], keys[1]);
	ck_assert_str_eq(keys[0], keys[2]);
}
END_TEST

START_TEST(keys_that_contradict_or_are_too_long_are_422)
{
	char longest[DECODE_MAX_KEY + 2];

	for (size_t len = DECODE_MAX_KEY; len <= DECODE_MAX_KEY + 1; len++) {
		struct case_of c;

		memset(longest, 'k', len);
		longest[len] = '\0';
		begin(&c, HANDLE_AUTH_NONE);
		give(&c, "HTTP_IDEMPOTENCY_KEY", longest);
		ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}"),
				  len <= DECODE_MAX_KEY ? 200 : 422);
		ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\",\"idempotency_key\":\"x\"}"),
				  422);
		ck_assert(says(&c, "differ"));
		end(&c);
	}
}
END_TEST

/* ---- who ---- */

START_TEST(tokens_open_the_topics_of_their_line)
{
	static const struct {
		const char *authorization, *topic;
		unsigned status;
		const char *says;
	} cases[] = {
		{"Bearer secret", "anything", 200, "id"},
		{"bearer limited", "a", 200, "id"},
		{"Bearer limited", "b:1", 200, "id"},
		{"Bearer limited", "b", 403, "token cron may not publish to topic b"},
		{NULL, "a", 401, "CGIPassAuth On"},
		{"", "a", 401, "CGIPassAuth On"},
		{"Bearer wrong", "a", 401, "not known"},
		{"Basic secret", "a", 401, "Bearer TOKEN"},
		{"secret", "a", 401, "Bearer TOKEN"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char body[64];
		struct case_of c;

		begin(&c, HANDLE_AUTH_TOKEN);
		give(&c, "HTTP_AUTHORIZATION", cases[i].authorization);
		snprintf(body, sizeof(body), "{\"topic\":\"%s\"}", cases[i].topic);
		ck_assert_uint_eq(post(&c, JSON, body), cases[i].status);
		ck_assert_msg(says(&c, cases[i].says), "%s", c.server.answer.data);
		ck_assert_int_eq(says(&c, "\r\nWWW-Authenticate: Bearer\r\n"),
				 cases[i].status == 401);
		ck_assert_uint_eq(c.memory.appends, cases[i].status == 200);
		ck_assert(!says(&c, "wrong") && !says(&c, "secret") && !says(&c, "limited"));
		end(&c);
	}
}
END_TEST

START_TEST(every_topic_of_every_event_must_be_allowed)
{
	struct case_of c;

	begin(&c, HANDLE_AUTH_TOKEN);
	give(&c, "HTTP_AUTHORIZATION", "Bearer limited");
	ck_assert_uint_eq(post(&c, JSON, "[{\"topic\":\"a\"},{\"topics\":[\"b:1\",\"c\"]}]"), 403);
	ck_assert(says(&c, "topic c"));
	ck_assert_uint_eq(c.memory.appends, 0);
	ck_assert_uint_eq(post(&c, FORM, "topic=a,b:1&topic=c"), 403);
	ck_assert_uint_eq(post(&c, FORM, "topic=a,b:1"), 200);
	end(&c);
}
END_TEST

START_TEST(a_header_that_mod_rewrite_renamed_is_found)
{
	struct case_of c;

	begin(&c, HANDLE_AUTH_TOKEN);
	give(&c, "REDIRECT_HTTP_AUTHORIZATION", "Bearer secret");
	ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}"), 200);
	give(&c, "HTTP_AUTHORIZATION", "Bearer wrong");
	ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}"), 401);
	end(&c);
}
END_TEST

START_TEST(a_remote_user_may_publish_everywhere_and_nobody_nowhere)
{
	struct case_of c;

	begin(&c, HANDLE_AUTH_REMOTE_USER);
	ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}"), 401);
	give(&c, "HTTP_AUTHORIZATION", "Bearer secret");
	ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}"), 401);
	give(&c, "REMOTE_USER", "");
	ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}"), 401);
	ck_assert(says(&c, "REMOTE_USER"));
	give(&c, "REMOTE_USER", "ann");
	ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}"), 200);
	end(&c);
}
END_TEST

/* ---- the body ---- */

START_TEST(a_body_is_read_to_its_length_or_its_end_in_any_pieces)
{
	static const char *const lengths[] = {NULL, "", "13", "0013"};
	static const char body[] = "{\"topic\":\"a\"}";

	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		for (size_t piece = 1; piece <= sizeof(body); piece++) {
			struct case_of c;

			begin(&c, HANDLE_AUTH_NONE);
			give(&c, "CONTENT_LENGTH", lengths[i]);
			c.server.piece = piece;
			ck_assert_uint_eq(post(&c, JSON, body), 200);
			end(&c);
		}
	}
}
END_TEST

START_TEST(what_stands_behind_the_length_is_not_read)
{
	struct case_of c;

	begin(&c, HANDLE_AUTH_NONE);
	give(&c, "CONTENT_LENGTH", "13");
	ck_assert_uint_eq(post(&c, JSON, "{\"topic\":\"a\"}and more"), 200);
	ck_assert_uint_eq(c.server.taken, 13);
	end(&c);
}
END_TEST

START_TEST(a_body_that_is_too_short_empty_or_broken_is_400)
{
	static const struct {
		const char *length, *body;
		size_t breaks_at;
		const char *says;
	} cases[] = {
		{"14", "{\"topic\":\"a\"}", 0, "after 13 of the 14 bytes"},
		{"1", "", 0, "after 0 of the 1 bytes"},
		{"0", "", 0, "mod_fcgid"},
		{NULL, "", 0, "mod_fcgid"},
		{"0", "{\"topic\":\"a\"}", 0, "mod_fcgid"},
		{"13", "{\"topic\":\"a\"}", 5, "broke off"},
		{"x", "{\"topic\":\"a\"}", 0, "not a number"},
		{"-1", "{\"topic\":\"a\"}", 0, "not a number"},
		{"+13", "{\"topic\":\"a\"}", 0, "not a number"},
		{"13, 13", "{\"topic\":\"a\"}", 0, "not a number"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct case_of c;

		begin(&c, HANDLE_AUTH_NONE);
		give(&c, "CONTENT_LENGTH", cases[i].length);
		c.server.piece = 5;
		c.server.breaks_at = cases[i].breaks_at;
		ck_assert_uint_eq(post(&c, JSON, cases[i].body), 400);
		ck_assert_msg(says(&c, cases[i].says), "%s", c.server.answer.data);
		ck_assert_uint_eq(c.memory.appends, 0);
		end(&c);
	}
}
END_TEST

START_TEST(a_body_beyond_max_body_size_is_413)
{
	static const char *const lengths[] = {"4097", "18446744073709551616", NULL};
	char body[MAX_BODY + 2];

	memset(body, ' ', sizeof(body));
	memcpy(body, "{\"topic\":\"a\"}", 13);
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		struct case_of c;

		begin(&c, HANDLE_AUTH_NONE);
		give(&c, "CONTENT_LENGTH", lengths[i]);
		body[MAX_BODY + 1] = '\0';
		ck_assert_uint_eq(post(&c, JSON, body), 413);
		ck_assert(says(&c, "4096 bytes (max_body_size)"));
		/* said before the body is read where the length is known */
		ck_assert_uint_eq(c.server.taken, lengths[i] ? 0 : MAX_BODY + 1);

		body[MAX_BODY] = '\0';
		give(&c, "CONTENT_LENGTH", lengths[i] ? "4096" : NULL);
		ck_assert_uint_eq(post(&c, JSON, body), 200);
		body[MAX_BODY] = ' ';
		end(&c);
	}
}
END_TEST

START_TEST(who_and_what_are_checked_before_the_body_is_read)
{
	struct case_of c;

	begin(&c, HANDLE_AUTH_TOKEN);
	ck_assert_uint_eq(post(&c, "text/plain", "x"), 401);
	ck_assert_uint_eq(c.server.taken, 0);
	give(&c, "HTTP_AUTHORIZATION", "Bearer secret");
	ck_assert_uint_eq(post(&c, "text/plain", "x"), 415);
	ck_assert_uint_eq(c.server.taken, 0);
	end(&c);
}
END_TEST

/* ---- methods and health ---- */

START_TEST(only_post_publishes)
{
	static const struct {
		const char *method;
		unsigned status;
		const char *allow;
	} cases[] = {
		{"GET", 405, "\r\nAllow: POST\r\n"},
		{"PUT", 405, "\r\nAllow: POST\r\n"},
		{"post", 405, "\r\nAllow: POST\r\n"},
		{"", 405, "\r\nAllow: POST\r\n"},
		{NULL, 405, "\r\nAllow: POST\r\n"},
		{"HEAD", 405, "\r\nAllow: POST\r\n"},
		{"OPTIONS", 204, "\r\nAllow: POST, OPTIONS\r\n"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct case_of c;
		size_t len;

		begin(&c, HANDLE_AUTH_TOKEN);
		give(&c, "REQUEST_METHOD", cases[i].method);
		give(&c, "CONTENT_TYPE", JSON);
		ck_assert_uint_eq(serve(&c), cases[i].status);
		ck_assert(says(&c, cases[i].allow));
		len = c.server.answer.len;
		bool empty = strcmp(c.server.answer.data + len - 4, "\r\n\r\n") == 0;
		ck_assert_int_eq(empty, cases[i].method && (strcmp(cases[i].method, "HEAD") == 0 ||
							    cases[i].status == 204));
		ck_assert_uint_eq(c.memory.appends, 0);
		end(&c);
	}
}
END_TEST

START_TEST(health_is_asked_of_the_log_and_needs_no_token)
{
	static const struct {
		const char *method, *script_name, *path_info, *ill;
		unsigned status;
	} cases[] = {
		{"GET", "/publish", "/health", NULL, 200},
		{"HEAD", "/publish", "/health", NULL, 200},
		{"GET", "/publish/health", NULL, NULL, 200},
		{"GET", "/publish/health", "", NULL, 200},
		{"GET", "/publish", "/health", "Redis is on holiday", 503},
		{"GET", "/health", "/publish", NULL, 405},
		{"GET", "/publish", "/healthy", NULL, 405},
		{"GET", "/publish", "/xhealth", NULL, 405},
		{"GET", "/publish", "health", NULL, 405},
		{"OPTIONS", "/publish", "/health", NULL, 204},
		{"POST", "/publish", "/health", NULL, 405},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct case_of c;

		begin(&c, HANDLE_AUTH_TOKEN);
		c.memory.ill = cases[i].ill;
		give(&c, "REQUEST_METHOD", cases[i].method);
		give(&c, "SCRIPT_NAME", cases[i].script_name);
		give(&c, "PATH_INFO", cases[i].path_info);
		ck_assert_msg(serve(&c) == cases[i].status, "case %zu: %s", i,
			      c.server.answer.data);
		ck_assert_uint_eq(c.memory.pings, cases[i].status == 200 || cases[i].status == 503);
		ck_assert_int_eq(says(&c, "{\"status\":\"healthy\"}"),
				 cases[i].status == 200 && strcmp(cases[i].method, "GET") == 0);
		ck_assert(!cases[i].ill || (says(&c, cases[i].ill) && says(&c, "Retry-After")));
		ck_assert(strcmp(cases[i].method, "POST") != 0 ||
			  says(&c, "\r\nAllow: GET, HEAD\r\n"));
		end(&c);
	}
}
END_TEST

START_TEST(a_web_server_that_is_gone_is_told_to_the_caller)
{
	struct exchange x = {NULL, param, read_body, write_answer};
	struct publish_log log = {NULL, append, ping};
	struct case_of c;

	begin(&c, HANDLE_AUTH_NONE);
	c.server.gone = true;
	x.ctx = &c.server;
	log.ctx = &c.memory;
	ck_assert_int_eq(exchange_serve(&x, &c.config, NULL, &log), -EPIPE);
	end(&c);
}
END_TEST

RUN_TESTS("handle", an_event_goes_to_the_log_and_its_id_comes_back,
	  a_batch_goes_to_the_log_in_one_call, parts_of_many_events_stay_right_while_memory_moves,
	  nothing_is_published_when_one_of_many_is_wrong, an_event_beyond_max_message_size_is_413,
	  what_the_log_says_becomes_the_answer, header_and_member_are_the_same_key,
	  keys_of_different_publishers_never_meet, remote_users_have_keys_of_their_own,
	  keys_that_contradict_or_are_too_long_are_422, tokens_open_the_topics_of_their_line,
	  every_topic_of_every_event_must_be_allowed, a_header_that_mod_rewrite_renamed_is_found,
	  a_remote_user_may_publish_everywhere_and_nobody_nowhere,
	  a_body_is_read_to_its_length_or_its_end_in_any_pieces,
	  what_stands_behind_the_length_is_not_read,
	  a_body_that_is_too_short_empty_or_broken_is_400, a_body_beyond_max_body_size_is_413,
	  who_and_what_are_checked_before_the_body_is_read, only_post_publishes,
	  health_is_asked_of_the_log_and_needs_no_token,
	  a_web_server_that_is_gone_is_told_to_the_caller)
