/* admin: turns what is asked about this worker into an answer. Takes no figures itself. */
#include "streamer/admin.h"

#include <stdio.h>
#include <string.h>
#include "common/buf.h"
#include "streamer/answer.h"

#define METRICS_BYTES ((size_t)4 * 1024 * 1024)

const char *admin_not_ready(const struct admin_view *view)
{
	if (view->stopping)
		return "draining";
	if (!view->metrics.redis_ready)
		return "redis is not connected";
	return view->full ? "full" : NULL;
}

static struct frame *ready(const struct answer_to *to, const struct admin_view *view)
{
	const char *reason = admin_not_ready(view);
	char json[128];

	if (!reason)
		return answer_json(to, 200, span_of("{\"status\":\"ready\"}"));
	snprintf(json, sizeof(json), "{\"status\":\"not ready\",\"reason\":\"%s\"}", reason);
	return answer_json(to, 503, span_of(json));
}

static struct frame *metrics(const struct answer_to *to, const struct admin_view *view, bool json)
{
	struct buf b;
	struct frame *f = NULL;

	buf_init(&b, METRICS_BYTES);
	int err = json ? metrics_json(&view->metrics, &b) : metrics_prometheus(&view->metrics, &b);
	struct span text = {b.data, b.len};
	if (!err)
		f = json ? answer_json(to, 200, text)
			 : answer_text(to, "text/plain; version=0.0.4; charset=utf-8", text);
	buf_done(&b);
	return f;
}

struct frame *admin_answer(enum ask_kind kind, const struct answer_to *to,
			   const struct admin_view *view)
{
	switch (kind) {
	case ASK_READY: return ready(to, view);
	case ASK_LIVE: return answer_json(to, 200, span_of("{\"status\":\"alive\"}"));
	case ASK_METRICS: return metrics(to, view, true);
	case ASK_PROMETHEUS: return metrics(to, view, false);
	default: return answer_json(to, 200, span_of("{\"status\":\"healthy\"}"));
	}
}
