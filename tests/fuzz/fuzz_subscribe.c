/* fuzz_subscribe: whatever stands in query, cursor header and body is refused in words that can be
 * said, or asks for topics that can be heard. The first byte chooses the kind of body; the query
 * ends at the first line feed, the cursor header at the second, the body is the rest. */
#include <string.h>

#include "common/buf.h"
#include "common/event.h"
#include "common/topic.h"
#include "common/utf8.h"
#include "streamer/ask.h"
#include "streamer/route.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_TOPICS = 5 };

static const char *const types[] = {"application/json", "application/x-www-form-urlencoded",
				    "Application/JSON ; charset=utf-8", "text/plain"};

static struct span take_line(struct span *rest)
{
	const char *end = memchr(rest->at, '\n', rest->len);
	struct span line = {rest->at, end ? (size_t)(end - rest->at) : rest->len};
	size_t taken = line.len + (end != NULL);

	*rest = (struct span){rest->at + taken, rest->len - taken};
	return line;
}

static void build(struct buf *b, unsigned kind, struct span rest)
{
	struct span query = take_line(&rest), cursor = take_line(&rest);

	MUST(buf_printf(b, "%s /e?", kind & 4 ? "GET" : "POST") == 0);
	MUST(buf_append(b, query.at, query.len) == 0);
	MUST(buf_printf(b, " HTTP/1.0\r\nContent-Type: %s\r\n", types[kind & 3]) == 0);
	if (cursor.len > 0) {
		MUST(buf_append_str(b, "Last-Event-ID: ") == 0);
		MUST(buf_append(b, cursor.at, cursor.len) == 0);
		MUST(buf_append_str(b, "\r\n") == 0);
	}
	MUST(buf_append_str(b, "\r\n") == 0);
	MUST(buf_append(b, rest.at, rest.len) == 0);
}

static void check_names(const struct span *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			MUST(!span_equal(names[i], names[j]));
}

static void check_ask(const struct ask *a)
{
	if (a->kind == ASK_ERROR) {
		size_t len = strlen(a->detail);
		MUST(a->status == 400 || a->status == 415);
		MUST(len > 0 && utf8_valid(a->detail, len) && !utf8_has_control(a->detail, len));
		return;
	}
	MUST(a->kind == ASK_STREAM && a->n_topics >= 1 && a->n_topics <= MAX_TOPICS);
	check_names(a->topics, a->n_topics);
	check_names(a->events, a->n_events);
	for (size_t i = 0; i < a->n_topics; i++) {
		MUST(topic_valid(a->topics[i].at, a->topics[i].len));
		MUST(!topic_reserved(a->topics[i].at, a->topics[i].len));
	}
	for (size_t i = 0; i < a->n_events; i++)
		MUST(event_name_valid(a->events[i].at, a->events[i].len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct route_config config = {.sse_path = "/e", .max_topics = MAX_TOPICS};
	struct http_request r;
	struct http_error error;
	struct buf b;

	if (len < 1)
		return 0;
	buf_init(&b, SIZE_MAX);
	build(&b, bytes[0], (struct span){(const char *)bytes + 1, len - 1});
	char *input = malloc(b.len); /* exactly: a step behind the last byte shows */
	MUST(input);
	memcpy(input, b.data, b.len);
	if (http_request_parse(input, b.len, &r, &error) == HTTP_DONE) {
		struct span body = {input + r.head_len, b.len - r.head_len};
		struct ask *a = route(&config, ROUTE_PUBLIC, &r, body, input);
		MUST(a);
		check_ask(a);
		ask_free(a);
	} else {
		free(input);
	}
	buf_done(&b);
	return 0;
}
