/* test_publish_oom: memory that runs out anywhere in a publish request is answered, and leaves
 * nothing behind. */
#include <string.h>

#include "common/buf.h"
#include "common/control.h"
#include "publisher/access.h"
#include "publisher/decode.h"
#include "publisher/decode_control.h"
#include "publisher/exchange.h"
#include "publisher/handle.h"
#include "publisher/log.h"
#include "publisher/split.h"
#include "common/resp.h"
#include "publisher/response.h"
#include "tests/unit/oom.h"
#include "tests/unit/run.h"

/* Within an action nothing of check is called: it allocates, too. */
static void must(bool good)
{
	if (!good)
		abort();
}

/* Decodes; true when the answer was that memory is out. */
static bool decode(const char *content_type, const char *body)
{
	struct decode_media media;
	struct publication p;
	struct response r;
	bool out_of_memory;

	response_init(&r);
	must(decode_content_type(content_type, &media, &r) == 0);
	int rc = decode_body(span_of(body), &media, 65536, &p, &r);
	out_of_memory = rc < 0 && r.status == 503;
	must(rc == 0 || out_of_memory);
	publication_done(&p);
	response_done(&r);
	return out_of_memory;
}

static bool decode_json_batch(void)
{
	return decode("application/json",
		      "[{\"topics\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\\u0062\"],"
		      "\"event\":\"\\u00e9\",\"data\":{}},{\"topic\":\"a\",\"key\":\"k\\u0041\"}]");
}

static bool decode_form(void)
{
	return decode("application/x-www-form-urlencoded; charset=latin1",
		      "topic=a,b&event=%E9&data=text&key=k");
}

static bool decode_control_form(void)
{
	static const char type[] = "application/x-www-form-urlencoded";
	struct decode_media media;
	struct response r;
	struct control c;
	bool out_of_memory;

	response_init(&r);
	must(decode_content_type(type, &media, &r) == 0);
	int rc = decode_control(span_of("revoke[user]=42&revoke[topic]=a*&revoke[seconds]=3600"),
				&media, &c, &r);
	out_of_memory = rc < 0 && r.status == 503;
	must(rc == 0 || out_of_memory);
	response_done(&r);
	return out_of_memory;
}

static bool parse_tokens(void)
{
	static const char text[] = "a b c d* +control\n# x\ne f\n";
	struct access_error error;
	struct access_tokens *t = access_tokens_parse(text, sizeof(text) - 1, &error);

	must(t || strcmp(error.why, "out of memory") == 0);
	access_tokens_free(t);
	return !t;
}

/* ---- a whole request ---- */

struct server {
	const char *body;
	bool took_memory_away;
};

static const char *param(void *ctx, const char *name)
{
	(void)ctx;
	if (strcmp(name, "REQUEST_METHOD") == 0)
		return "POST";
	if (strcmp(name, "HTTP_IDEMPOTENCY_KEY") == 0)
		return "k";
	return strcmp(name, "CONTENT_TYPE") == 0 ? "application/json" : NULL;
}

static long read_body(void *ctx, char *bytes, size_t size)
{
	struct server *s = ctx;
	size_t n = strlen(s->body);

	n = n < size ? n : size;
	memcpy(bytes, s->body, n);
	s->body += n;
	return (long)n;
}

/* An answer comes in any case: 200 only when all went well. */
static int write_answer(void *ctx, const char *bytes, size_t len)
{
	struct server *s = ctx;

	s->took_memory_away = len > 11 && memcmp(bytes, "Status: 503", 11) == 0;
	must(s->took_memory_away || memcmp(bytes, "Status: 200", 11) == 0);
	return 0;
}

static enum publish_log_outcome append(void *ctx, const struct publish_log_request *request,
				       struct event_id *ids, struct publish_log_refusal *refusal)
{
	(void)ctx;
	(void)refusal;
	for (size_t i = 0; i < publish_log_copies(request); i++)
		ids[i] = (struct event_id){1, i};
	return PUBLISH_LOG_DONE;
}

static bool split(void)
{
	static const struct span topics[] = {{"a", 1}, {"b", 1}, {"c", 1}};
	static const struct publish_log_event events[] = {{.topics = topics, .n_topics = 3},
							  {.topics = topics + 1, .n_topics = 1}};
	struct publish_log_request request = {.events = events, .n = 2};
	struct split s;

	if (split_request(&request, 16, &s) < 0)
		return true;
	split_done(&s);
	return false;
}

static bool serve(void)
{
	struct server server = {.body = "[{\"topic\":\"a\"},{\"topic\":\"b\",\"data\":\"\\n\"}]"};
	struct exchange x = {&server, param, read_body, write_answer};
	struct handle_config config = {HANDLE_AUTH_NONE, 65536, 65536};
	struct publish_log log = {.append = append, .partitions = 16};

	must(exchange_serve(&x, &config, NULL, &log) == 0);
	return server.took_memory_away;
}

START_TEST(memory_that_runs_out_is_answered_and_nothing_is_left)
{
	oom_exhaust(decode_json_batch);
	oom_exhaust(decode_form);
	oom_exhaust(decode_control_form);
	oom_exhaust(parse_tokens);
	oom_exhaust(serve);
	oom_exhaust(split);
}
END_TEST

RUN_TESTS("publish_oom", memory_that_runs_out_is_answered_and_nothing_is_left)
