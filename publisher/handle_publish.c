/* handle_publish: see handle_publish.h. Everything that one append needs is put together here, and
 * what came of it put into words. */
#include "publisher/handle_publish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "publisher/access.h"
#include "publisher/decode.h"
#include "publisher/log.h"
#include "publisher/request.h"
#include "publisher/response.h"
#include "publisher/sha256.h"

static int check_topics(const struct access_token *token, const struct publication *p,
			struct response *r)
{
	for (size_t i = 0; token && i < p->n_topics; i++) {
		if (!access_allows(token, p->topics[i])) {
			response_error(r, 403, NULL, "token %s may not publish to topic %.*s",
				       access_name(token), (int)p->topics[i].len, p->topics[i].at);
			return -1;
		}
	}
	return 0;
}

/* The key of header or member in *key; at == NULL when there is none. */
static int choose_key(const struct request *request, const struct publication *p, struct span *key,
		      struct response *r)
{
	struct span header = span_of(request->idempotency_key);

	*key = p->idempotency_key;
	if (!header.at)
		return 0;
	if (key->at && !span_equal(header, *key)) {
		response_error(r, 422, "idempotency_key",
			       "the header Idempotency-Key and the member idempotency_key differ");
		return -1;
	}
	*key = header;
	return decode_check_idempotency_key(header, "Idempotency-Key", r);
}

/* Everything that one append needs, kept until it is answered. */
struct call {
	struct buf text; /* the messages */
	struct publish_log_event *events;
	struct event_id *ids; /* of each copy */
	char key[SHA256_HEX_BYTES + 1], digest[SHA256_HEX_BYTES + 1];
	struct publish_log_request request;
};

static void call_done(struct call *call)
{
	buf_done(&call->text);
	free(call->events);
	free(call->ids);
}

static int too_large(const struct handle_config *config, const struct publication *p, size_t i,
		     struct response *r)
{
	char field[48] = "data";

	if (p->batch)
		snprintf(field, sizeof(field), "events[%zu].data", i);
	response_error(r, 413, field, "the event is larger than %zu bytes (max_message_size)",
		       config->max_message);
	return -1;
}

static int out_of_memory(struct response *r)
{
	response_error(r, 503, NULL, "out of memory");
	return -1;
}

/* Views into a buffer that may still move, as offsets; put right when it no longer does. */
static int encode_events(const struct handle_config *config, const struct publication *p,
			 struct call *call, struct response *r)
{
	for (size_t i = 0; i < p->n_events; i++) {
		struct publish_log_event *e = &call->events[i];
		size_t start = call->text.len;
		int rc;

		call->text.max = start + config->max_message;
		rc = event_encode(&p->events[i], &call->text, &e->parts);
		if (rc == -ENOBUFS ||
		    (rc == 0 && event_message_bytes(&e->parts) > config->max_message))
			return too_large(config, p, i, r);
		if (rc < 0)
			return out_of_memory(r);
		e->topics = p->events[i].topics;
		e->n_topics = p->events[i].n_topics;
	}
	const char *at = call->text.data;
	for (size_t i = 0; i < p->n_events; i++) {
		struct event_parts *parts = &call->events[i].parts;

		parts->head.at = at;
		parts->middle.at = at += parts->head.len;
		parts->tail.at = at += parts->middle.len;
		at += parts->tail.len;
	}
	return 0;
}

/* Keys of different publishers never meet: the key in Redis is a digest of who and key. */
static int identify(struct call *call, const struct request *request,
		    const struct handle_step *step, struct span key, struct response *r)
{
	uint8_t digest[SHA256_BYTES];

	if (!key.at)
		return 0;
	if (sha256(span_of(step->who), key, digest) < 0)
		return out_of_memory(r);
	sha256_format(digest, call->key);
	if (sha256(span_of(request->content_type), request->body, digest) < 0)
		return out_of_memory(r);
	sha256_format(digest, call->digest);
	call->request.key = span_of(call->key);
	call->request.digest = span_of(call->digest);
	return 0;
}

static void append(const struct publish_log *log, struct call *call, bool batch, struct response *r)
{
	struct publish_log_refusal refusal = {.why = ""};

	switch (log->append(log->ctx, &call->request, call->ids, &refusal)) {
	case PUBLISH_LOG_DONE:
		response_published(r, &call->request, call->ids, log->partitions, batch);
		return;
	case PUBLISH_LOG_MISMATCH:
		response_error(
			r, 422, "Idempotency-Key",
			"this idempotency key was used for another request within the last 5 "
			"minutes");
		return;
	case PUBLISH_LOG_LIMITED: response_limited(r, refusal.wait_ms); return;
	case PUBLISH_LOG_REFUSED:
		response_error(r, 503, NULL, "not published: %s", refusal.why);
		return;
	case PUBLISH_LOG_UNSAFE:
		response_error(
			r, 503, NULL,
			"published, and not safe yet: %s; a failover may lose it. Sent again "
			"with the same Idempotency-Key it is not doubled, and waits anew",
			refusal.why);
		return;
	case PUBLISH_LOG_PARTLY:
		response_error(r, 503, NULL,
			       "published in some of its partitions, in others perhaps not: %s; "
			       "sent again with the same Idempotency-Key it is published where it "
			       "is missing, and not doubled",
			       refusal.why);
		return;
	case PUBLISH_LOG_UNKNOWN: break;
	}
	response_error(r, 503, NULL,
		       "%s; whether it was published is not known: send it again, with the same "
		       "Idempotency-Key it can't be doubled",
		       refusal.why);
}

static size_t count_copies(const struct publication *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_events; i++)
		n += p->events[i].n_topics;
	return n;
}

static void publish(const struct handle_config *config, const struct publish_log *log,
		    const struct request *request, const struct handle_step *step,
		    const struct publication *p, struct response *r)
{
	struct call call = {.events = calloc(p->n_events, sizeof(*call.events)),
			    .ids = calloc(count_copies(p), sizeof(*call.ids))};
	struct span key;

	buf_init(&call.text, 0);
	call.request.events = call.events;
	call.request.n = p->n_events;
	if (!call.events || !call.ids)
		out_of_memory(r);
	else if (choose_key(request, p, &key, r) == 0 && encode_events(config, p, &call, r) == 0 &&
		 identify(&call, request, step, key, r) == 0)
		append(log, &call, p->batch, r);
	call_done(&call);
}

void handle_publish(const struct handle_config *config, const struct publish_log *log,
		    const struct request *request, const struct handle_step *step,
		    struct response *r)
{
	struct publication p;

	if (decode_body(request->body, &step->media, config->max_message, &p, r) == 0 &&
	    check_topics(step->token, &p, r) == 0)
		publish(config, log, request, step, &p, r);
	publication_done(&p);
}
