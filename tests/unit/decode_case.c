/* decode_case: see decode_case.h. */
#include "tests/unit/decode_case.h"

#include <json-c/json.h>
#include <stdio.h>

#include "publisher/decode.h"
#include "publisher/response.h"
#include "tests/unit/run.h"

static void append_span(char *out, const char *label, struct span s)
{
	size_t len = strlen(out);

	snprintf(out + len, TEXT_BYTES - len, "%s%.*s", label, (int)s.len, s.at ? s.at : "");
}

/* All that was decoded, as `name data [key] -> topic,topic` for each event. */
static const char *describe(const struct publication *p, char *out)
{
	*out = '\0';
	if (p->batch)
		append_span(out, "batch ", span_of(""));
	for (size_t i = 0; i < p->n_events; i++) {
		const struct event *e = &p->events[i];

		append_span(out, i > 0 ? "; " : "", e->name);
		append_span(out, " ", e->data);
		if (e->key.at)
			append_span(out, " key=", e->key);
		for (size_t k = 0; k < e->n_topics; k++)
			append_span(out, k == 0 ? " -> " : ",", e->topics[k]);
	}
	if (p->idempotency_key.at)
		append_span(out, " once=", p->idempotency_key);
	return out;
}

/* "status field", of an error that must have a detail. */
static const char *describe_error(const struct response *r, char *out)
{
	struct json_object *body = json_tokener_parse(r->body.data), *detail, *field = NULL;

	ck_assert_ptr_nonnull(body);
	ck_assert(json_object_object_get_ex(body, "detail", &detail));
	ck_assert_int_gt(json_object_get_string_len(detail), 0);
	json_object_object_get_ex(body, "field", &field);
	snprintf(out, TEXT_BYTES, "%u %s", r->status, field ? json_object_get_string(field) : "-");
	json_object_put(body);
	return out;
}

int decode(const char *content_type, const char *body, size_t len, char *out, char *detail)
{
	struct decode_media media;
	struct publication p = {0};
	struct response r;
	char *copy = malloc(len);
	int rc;

	ck_assert(copy || len == 0);
	memcpy(copy, body, len);
	response_init(&r);
	rc = decode_content_type(content_type, &media, &r);
	if (rc == 0)
		rc = decode_body((struct span){copy, len}, &media, MAX_MESSAGE, &p, &r);
	if (rc == 0)
		describe(&p, out);
	else
		describe_error(&r, out);
	if (detail)
		snprintf(detail, TEXT_BYTES, "%s", rc < 0 ? r.body.data : "");
	publication_done(&p);
	response_done(&r);
	free(copy);
	return rc;
}

void check(const char *content_type, const char *body, const char *expected)
{
	char text[TEXT_BYTES], detail[TEXT_BYTES];

	decode(content_type, body, strlen(body), text, detail);
	ck_assert_msg(strcmp(text, expected) == 0, "%s\n  gave      %s %s\n  and not   %s", body,
		      text, detail, expected);
}
