/* reception: answers of a few words. Who gets which is server.c's to say. */
#include "streamer/reception.h"

#include <string.h>
#include "common/buf.h"
#include "streamer/ask.h"
#include "streamer/auth_reply.h"
#include "streamer/client.h"
#include "streamer/http_request.h"
#include "streamer/stats.h"

#define LOCATION_MAX_BYTES ((size_t)16 * 1024)

struct answer_to reception_answer_to(const struct reception *r, const struct client *c,
				     const struct ask *ask)
{
	return (struct answer_to){
		.cors = c->admin ? NULL : r->cors,
		.origin = ask ? ask->origin : (struct span){NULL, 0},
		.head = ask && ask->head,
		.event_stream = ask && ask->event_stream,
		.now = time(NULL),
	};
}

void reception_finish(struct client *c, struct frame *answer)
{
	client_push_taken(c, answer);
	client_end(c);
}

void reception_refuse(const struct reception *r, struct client *c, const struct http_error *error,
		      const struct http_request *request)
{
	struct answer_to to = reception_answer_to(r, c, NULL);

	if (request)
		to.origin = http_request_header(request, "Origin");
	r->stats->failed++;
	reception_finish(c, answer_error(&to, error->status, span_of(error->detail), NULL, NULL));
}

void reception_refuse_ask(const struct reception *r, struct client *c, const struct ask *ask)
{
	struct answer_to to = reception_answer_to(r, c, ask);

	r->stats->failed++;
	reception_finish(c, answer_error(&to, ask->status, span_of(ask->detail), ask->allow, NULL));
}

void reception_preflight(const struct reception *r, struct client *c, const struct ask *ask)
{
	struct answer_to to = reception_answer_to(r, c, ask);

	reception_finish(c, answer_preflight(&to, "GET, HEAD, POST, OPTIONS"));
}

void reception_busy(const struct reception *r, struct client *c, const struct ask *ask,
		    const char *detail, uint64_t retry_ms)
{
	struct answer_to to = reception_answer_to(r, c, ask);

	r->stats->rejected++;
	reception_finish(c, answer_busy(&to, detail, retry_ms));
}

void reception_refuse_ticket(const struct reception *r, struct client *c, const struct ask *ask,
			     const char *detail)
{
	struct answer_to to = reception_answer_to(r, c, ask);

	r->stats->failed++;
	reception_finish(
		c, answer_error(&to, 401, span_of(detail), NULL,
				ask->ticket.at ? "Bearer error=\"invalid_token\"" : "Bearer"));
}

void reception_renew(const struct reception *r, struct client *c, const struct ask *ask,
		     const char *renew_url)
{
	struct answer_to to = reception_answer_to(r, c, ask);
	const char *query = memchr(ask->uri.at, '?', ask->uri.len);
	struct frame *answer = NULL;
	struct buf location;

	buf_init(&location, LOCATION_MAX_BYTES);
	int err = buf_append_str(&location, renew_url);
	if (query)
		err |= buf_append_char(&location, strchr(renew_url, '?') ? '&' : '?');
	if (query)
		err |= buf_append(&location, query + 1,
				  (size_t)(ask->uri.at + ask->uri.len - query) - 1);
	if (!err)
		answer = answer_redirect(&to, (struct span){location.data, location.len});
	buf_done(&location);
	reception_finish(c, answer);
}

void reception_deny_topic(const struct reception *r, struct client *c, const struct ask *ask,
			  size_t deciding)
{
	const struct auth_verdict verdict = {.outcome = AUTH_DENY, .status = 403};

	reception_deny(r, c, ask, deciding, &verdict);
}

void reception_deny(const struct reception *r, struct client *c, const struct ask *ask,
		    size_t deciding, const struct auth_verdict *verdict)
{
	struct answer_to to = reception_answer_to(r, c, ask);
	char words[ANSWER_DENIAL_BYTES];
	const char *detail =
		verdict->detail[0] ? verdict->detail : answer_denial(ask->topics[deciding], words);

	r->stats->failed++;
	reception_finish(
		c, answer_error(&to, verdict->status, span_of(detail), NULL,
				verdict->www_authenticate[0] ? verdict->www_authenticate : NULL));
}
