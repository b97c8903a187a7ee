/* response: see response.h. Knows how each answer looks; when it is given is decided by its
 * callers. Owns the body. */
#include "publisher/response.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/http_status.h"
#include "common/jsonspan.h"
#include "common/partition.h"
#include "publisher/log.h"

#define BODY_MAX_BYTES   (1024 * 1024) /* 10000 ids, each with its partition, are a third of that */
#define DETAIL_MAX_BYTES 1024
#define RETRY_SECONDS    1

void response_init(struct response *r)
{
	*r = (struct response){0};
	buf_init(&r->body, BODY_MAX_BYTES);
}

void response_done(struct response *r)
{
	buf_done(&r->body);
}

static void begin(struct response *r, unsigned status)
{
	r->status = status;
	r->allow = NULL;
	r->challenge = status == 401;
	r->retry_after = status == 503 ? RETRY_SECONDS : 0;
	buf_clear(&r->body);
}

/* The length of text without a character cut in two at its end. */
static size_t whole_characters(const char *text, size_t len)
{
	size_t start = len;

	while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	return start > 0 && (unsigned char)text[start - 1] >= 0xC0 ? start - 1 : len;
}

void response_error(struct response *r, unsigned status, const char *field, const char *format, ...)
{
	char detail[DETAIL_MAX_BYTES];
	va_list args;
	int rc;

	begin(r, status);
	va_start(args, format);
	int n = vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	size_t len = n < 0 ? 0 : (size_t)n;
	if (len >= sizeof(detail))
		len = whole_characters(detail, sizeof(detail) - 1);

	rc = buf_append_str(&r->body, "{\"detail\":");
	if (rc == 0)
		rc = jsonspan_append_string(&r->body, detail, len);
	if (rc == 0 && field) {
		rc = buf_append_str(&r->body, ",\"field\":");
		if (rc == 0)
			rc = jsonspan_append_string(&r->body, field, strlen(field));
	}
	if (rc < 0 || buf_append_char(&r->body, '}') < 0)
		buf_clear(&r->body);
}

void response_method(struct response *r, const char *allow)
{
	response_error(r, 405, NULL, "this address takes %s", allow);
	r->allow = allow;
}

void response_limited(struct response *r, uint64_t wait_ms)
{
	response_error(r, 429, NULL,
		       "not published: more events than rate_limit_per_second allows; try again "
		       "after Retry-After");
	r->retry_after = wait_ms > 1000 ? (unsigned)((wait_ms + 999) / 1000) : 1;
}

void response_options(struct response *r, const char *allow)
{
	begin(r, 204);
	r->allow = allow;
}

/* ---- what was published ---- */

/* An answer on its way: the events in their order, each with the ids of its copies. */
struct told {
	struct buf *b;
	const struct publish_log_request *request;
	const struct event_id *ids;
	unsigned partitions;
};

static int append_id(struct buf *b, struct event_id id)
{
	char text[EVENT_ID_MAX_BYTES + 1];

	event_id_format(id, text);
	return buf_printf(b, "\"%s\"", text);
}

/* An event is called by its id where its first topic is. */
static int append_first_id(const struct told *t, size_t event, const struct event_id *of_copies)
{
	(void)event;
	return append_id(t->b, of_copies[0]);
}

/* {"3":"<id>","7":"<id>"}, in the order in which the topics name the partitions. */
static int append_by_partition(const struct told *t, size_t event, const struct event_id *of_copies)
{
	const struct publish_log_event *e = &t->request->events[event];
	bool seen[PARTITION_MAX] = {false};
	int rc = buf_append_char(t->b, '{');

	for (size_t k = 0; rc == 0 && k < e->n_topics; k++) {
		unsigned partition = partition_of(e->topics[k], t->partitions);

		if (seen[partition])
			continue;
		seen[partition] = true;
		rc = buf_printf(t->b, "%s\"%u\":", k > 0 ? "," : "", partition);
		if (rc == 0)
			rc = append_id(t->b, of_copies[k]);
	}
	return rc < 0 ? rc : buf_append_char(t->b, '}');
}

/* Something of each event, with commas between. */
static int append_each(const struct told *t,
		       int (*append)(const struct told *, size_t, const struct event_id *))
{
	const struct event_id *of_copies = t->ids;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->request->n; i++) {
		rc = i > 0 ? buf_append_char(t->b, ',') : 0;
		if (rc == 0)
			rc = append(t, i, of_copies);
		of_copies += t->request->events[i].n_topics;
	}
	return rc;
}

static int append_member(const struct told *t, const char *before, const char *after,
			 int (*append)(const struct told *, size_t, const struct event_id *))
{
	int rc = buf_append_str(t->b, before);

	if (rc == 0)
		rc = append_each(t, append);
	return rc < 0 ? rc : buf_append_str(t->b, after);
}

void response_published(struct response *r, const struct publish_log_request *request,
			const struct event_id *ids, unsigned partitions, bool batch)
{
	struct told t = {&r->body, request, ids, partitions};
	int rc;

	begin(r, 200);
	rc = append_member(&t, batch ? "{\"ids\":[" : "{\"id\":", batch ? "]" : "",
			   append_first_id);
	if (rc == 0 && partitions)
		rc = append_member(&t, batch ? ",\"partitions\":[" : ",\"partitions\":",
				   batch ? "]" : "", append_by_partition);
	if (rc < 0 || buf_append_char(&r->body, '}') < 0)
		response_error(r, 503, NULL, "out of memory");
}

void response_heard(struct response *r, uint64_t heard_by)
{
	begin(r, 200);
	if (buf_printf(&r->body, "{\"heard_by\":%" PRIu64 "}", heard_by) < 0)
		response_error(r, 503, NULL, "out of memory");
}

void response_health(struct response *r, const char *why)
{
	if (why) {
		response_error(r, 503, NULL, "%s", why);
		return;
	}
	begin(r, 200);
	if (buf_append_str(&r->body, "{\"status\":\"healthy\"}") < 0)
		buf_clear(&r->body);
}

int response_render(const struct response *r, bool with_body, struct buf *out)
{
	int rc = buf_printf(out, "Status: %u %s\r\nCache-Control: no-store\r\n", r->status,
			    http_status_reason(r->status));

	if (rc == 0 && r->status != 204)
		rc = buf_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
				r->body.len);
	if (rc == 0 && r->allow)
		rc = buf_printf(out, "Allow: %s\r\n", r->allow);
	if (rc == 0 && r->challenge)
		rc = buf_append_str(out, "WWW-Authenticate: Bearer\r\n");
	if (rc == 0 && r->retry_after)
		rc = buf_printf(out, "Retry-After: %u\r\n", r->retry_after);
	if (rc == 0)
		rc = buf_append_str(out, "\r\n");
	if (rc == 0 && with_body)
		rc = buf_append(out, r->body.data, r->body.len);
	return rc;
}
