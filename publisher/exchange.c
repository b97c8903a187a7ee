/* exchange: see exchange.h. Takes the request's parameters together, reads the body within its
 * limits, and writes what handle has to say. A length is believed only as far as bytes follow it,
 * and a missing one is fine: Apache hands chunked uploads over without. */
#include "publisher/exchange.h"

#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "publisher/handle.h"
#include "publisher/request.h"
#include "publisher/response.h"

#define READ_BYTES 16384

static const char *param(const struct exchange *x, const char *name)
{
	const char *value = x->param(x->ctx, name);

	return value && *value ? value : NULL;
}

static void read_params(const struct exchange *x, struct request *request)
{
	*request = (struct request){
		.method = param(x, "REQUEST_METHOD"),
		.content_type = param(x, "CONTENT_TYPE"),
		.content_length = param(x, "CONTENT_LENGTH"),
		.script_name = param(x, "SCRIPT_NAME"),
		.path_info = param(x, "PATH_INFO"),
		.authorization = param(x, "HTTP_AUTHORIZATION"),
		.remote_user = param(x, "REMOTE_USER"),
		.idempotency_key = param(x, "HTTP_IDEMPOTENCY_KEY"),
	};
	if (!request->authorization) /* Apache's mod_rewrite renames what it passes on */
		request->authorization = param(x, "REDIRECT_HTTP_AUTHORIZATION");
}

/* Reads up to `want` bytes more; one byte above max_body shows that the body is too large. Returns
 * 1 when there may be more, 0 at the end, -1 with the answer in r. */
static int read_some(const struct exchange *x, const struct handle_config *config, size_t want,
		     struct buf *body, struct response *r)
{
	char *at = buf_reserve(body, want);
	long n;

	if (!at) {
		response_error(r, 503, NULL, "out of memory");
		return -1;
	}
	n = x->read(x->ctx, at, want);
	if (n < 0) {
		response_error(r, 400, NULL, "the body broke off");
		return -1;
	}
	body->len += (size_t)n;
	if (body->len > config->max_body) {
		handle_too_large(config, r);
		return -1;
	}
	return n > 0;
}

static int read_body(const struct exchange *x, const struct handle_config *config,
		     const struct handle_step *step, struct buf *body, struct response *r)
{
	size_t end = step->length_known ? step->length : config->max_body + 1;
	int rc = 1;

	while (rc > 0 && body->len < end) {
		size_t want = end - body->len;

		rc = read_some(x, config, want < READ_BYTES ? want : READ_BYTES, body, r);
	}
	if (rc == 0 && step->length_known && body->len < end) {
		response_error(r, 400, NULL,
			       "the body ends after %zu of the %zu bytes that Content-Length says",
			       body->len, end);
		return -1;
	}
	return rc < 0 ? rc : 0;
}

static int write_answer(const struct exchange *x, const struct request *request,
			const struct response *r)
{
	static const char no_memory[] = "Status: 503 Service Unavailable\r\n"
					"Content-Type: application/json\r\n"
					"Cache-Control: no-store\r\n"
					"Retry-After: 1\r\n"
					"\r\n"
					"{\"detail\":\"out of memory\"}";
	bool head = request->method && strcmp(request->method, "HEAD") == 0;
	struct buf out;
	int rc;

	buf_init(&out, r->body.len + 1024);
	if (response_render(r, !head, &out) == 0)
		rc = x->write(x->ctx, out.data, out.len);
	else
		rc = x->write(x->ctx, no_memory, sizeof(no_memory) - 1);
	buf_done(&out);
	return rc < 0 ? -EPIPE : 0;
}

int exchange_serve(const struct exchange *x, const struct handle_config *config,
		   const struct access_tokens *tokens, const struct publish_log *log)
{
	struct handle_step step;
	struct request request;
	struct response response;
	struct buf body;
	int rc;

	response_init(&response);
	buf_init(&body, config->max_body + READ_BYTES);
	read_params(x, &request);
	if (handle_begin(config, tokens, log, &request, &step, &response) == 0 &&
	    read_body(x, config, &step, &body, &response) == 0) {
		request.body = (struct span){body.data, body.len};
		handle_body(config, log, &request, &step, &response);
	}
	rc = write_answer(x, &request, &response);
	buf_done(&body);
	response_done(&response);
	return rc;
}
