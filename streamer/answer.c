/* answer: puts heads before bodies. Every head says Connection: close, for one connection carries
 * one request: what a proxy might think follows it is never parsed. */
#include "streamer/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/http_status.h"
#include "common/jsonspan.h"
#include "streamer/cors.h"
#include "streamer/frame.h"
#include "streamer/sse.h"

#define ANSWER_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* RFC 9110 section 5.6.7; strftime would follow the locale. */
static int append_date(struct buf *b, time_t now)
{
	static const char days[] = "SunMonTueWedThuFriSat",
			  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return 0;
	return buf_printf(b, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
			  days + tm.tm_wday * 3, tm.tm_mday, months + tm.tm_mon * 3,
			  tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static int begin(struct buf *b, const struct answer_to *to, unsigned status)
{
	buf_init(b, ANSWER_MAX_BYTES);
	int err = buf_printf(b, "HTTP/1.1 %u %s\r\n", status, http_status_reason(status));
	err |= append_date(b, to->now);
	if (to->cors)
		err |= cors_headers(to->cors, to->origin, b);
	return err | buf_append_str(b, "Connection: close\r\n");
}

static struct frame *finish(struct buf *b, int err)
{
	struct frame *f = err ? NULL : frame_copy(b->data, b->len);
	buf_done(b);
	return f;
}

static struct frame *with_body(struct buf *b, int err, const struct answer_to *to, const char *type,
			       struct span body)
{
	err |= buf_printf(b, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n", type, body.len);
	if (!to->head)
		err |= buf_append(b, body.at, body.len);
	return finish(b, err);
}

static int stream_lines(struct buf *b)
{
	return buf_append_str(b, "Content-Type: text/event-stream; charset=utf-8\r\n"
				 "Cache-Control: no-cache, no-transform\r\n"
				 "X-Accel-Buffering: no\r\n\r\n");
}

struct frame *answer_stream_head(const struct answer_to *to)
{
	struct buf b;
	int err = begin(&b, to, 200);
	return finish(&b, err | stream_lines(&b));
}

struct frame *answer_stream_head_at(const struct answer_to *to, struct span cursor)
{
	struct buf b;
	int err = begin(&b, to, 200);

	err |= buf_append_str(&b, "X-SSE-Cursor: ");
	err |= buf_append(&b, cursor.at, cursor.len);
	err |= buf_append_str(&b, "\r\n");
	if (to->cors && (to->cors->any || to->cors->n_origins))
		err |= buf_append_str(&b, "Access-Control-Expose-Headers: X-SSE-Cursor\r\n");
	return finish(&b, err | stream_lines(&b));
}

struct frame *answer_json(const struct answer_to *to, unsigned status, struct span json)
{
	struct buf b;
	int err = begin(&b, to, status);
	err |= buf_append_str(&b, "Cache-Control: no-store\r\n");
	return with_body(&b, err, to, "application/json", json);
}

static int detail_json(struct buf *json, struct span detail)
{
	buf_init(json, ANSWER_MAX_BYTES);
	int err = buf_append_str(json, "{\"detail\":");
	err |= jsonspan_append_string(json, detail.at, detail.len);
	return err | buf_append_char(json, '}');
}

const char *answer_denial(struct span topic, char *out)
{
	snprintf(out, ANSWER_DENIAL_BYTES, "Not authorized to access topic: %.*s", (int)topic.len,
		 topic.at);
	return out;
}

struct frame *answer_error(const struct answer_to *to, unsigned status, struct span detail,
			   const char *allow, const char *www_authenticate)
{
	struct buf b, json;
	int err = detail_json(&json, detail);

	err |= begin(&b, to, status);
	err |= buf_append_str(&b, "Cache-Control: no-store\r\n");
	if (allow)
		err |= buf_printf(&b, "Allow: %s\r\n", allow);
	if (www_authenticate)
		err |= buf_printf(&b, "WWW-Authenticate: %s\r\n", www_authenticate);
	struct span body = {json.data, err ? 0 : json.len};
	struct frame *f = with_body(&b, err, to, "application/json", body);
	buf_done(&json);
	return f;
}

static struct frame *busy_stream(const struct answer_to *to, struct span json, uint64_t retry_ms)
{
	struct buf b;
	int err = begin(&b, to, 200);
	struct frame *notice = sse_notice("sse.busy", json, retry_ms, (struct span){NULL, 0});

	err |= stream_lines(&b);
	if (!notice)
		err = -1;
	else if (!to->head)
		err |= buf_append(&b, notice->bytes, notice->len);
	frame_unref(notice);
	return finish(&b, err);
}

static struct frame *busy_plain(const struct answer_to *to, struct span json, uint64_t retry_ms)
{
	struct buf b;
	int err = begin(&b, to, 503);
	err |= buf_printf(&b, "Cache-Control: no-store\r\nRetry-After: %llu\r\n",
			  (unsigned long long)((retry_ms + 999) / 1000));
	return with_body(&b, err, to, "application/json", json);
}

struct frame *answer_busy(const struct answer_to *to, const char *detail, uint64_t retry_ms)
{
	struct buf json;
	struct frame *f = NULL;

	if (detail_json(&json, span_of(detail)) == 0) {
		struct span body = {json.data, json.len};
		f = to->event_stream ? busy_stream(to, body, retry_ms)
				     : busy_plain(to, body, retry_ms);
	}
	buf_done(&json);
	return f;
}

struct frame *answer_redirect(const struct answer_to *to, struct span location)
{
	struct buf b;
	int err = begin(&b, to, 307);

	err |= buf_append_str(&b, "Cache-Control: no-store\r\nLocation: ");
	err |= buf_append(&b, location.at, location.len);
	return finish(&b, err | buf_append_str(&b, "\r\nContent-Length: 0\r\n\r\n"));
}

struct frame *answer_preflight(const struct answer_to *to, const char *allow)
{
	struct buf b;
	int err = begin(&b, to, 204);
	err |= buf_printf(&b, "Allow: %s\r\n", allow);
	if (to->cors && (to->cors->any || to->cors->n_origins))
		err |= buf_append_str(&b, cors_preflight_lines);
	return finish(&b, err | buf_append_str(&b, "\r\n"));
}

struct frame *answer_text(const struct answer_to *to, const char *type, struct span text)
{
	struct buf b;
	int err = begin(&b, to, 200);
	err |= buf_append_str(&b, "Cache-Control: no-store\r\n");
	return with_body(&b, err, to, type, text);
}

struct frame *answer_continue(void)
{
	static struct frame go_on = {
		.refs = FRAME_STATIC,
		.len = sizeof("HTTP/1.1 100 Continue\r\n\r\n") - 1,
		.bytes = "HTTP/1.1 100 Continue\r\n\r\n",
	};
	return &go_on;
}
