/* route: looks at method, path, query, headers and body of a request and says what is asked. Owns
 * the making of struct ask; decides about no permission and answers nothing. Where the topics stand
 * in the request is subscribe_form.c's. */
#include "streamer/route.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "streamer/ask.h"
#include "streamer/http_request.h"
#include "streamer/subscribe_form.h"
#include "streamer/ticket_place.h"

void ask_free(struct ask *a)
{
	if (!a)
		return;
	free(a->topics);
	free(a->events);
	free(a->forward);
	free(a->decoded);
	free(a->shown_uri);
	free(a->granted_cursor);
	free(a->input);
	free(a);
}

static void wrong(struct ask *a, unsigned status, const char *detail)
{
	a->kind = ASK_ERROR;
	a->status = status;
	snprintf(a->detail, sizeof(a->detail), "%s", detail);
}

struct place {
	const char *path; /* NULL: sse_path, and then `below` */
	const char *below;
	bool on_public, on_admin;
	enum ask_kind kind;
	const char *allow;
};

#define CURSOR_PATH "/cursor"

static const struct place places[] = {
	{NULL, "", true, false, ASK_STREAM, "GET, HEAD, POST, OPTIONS"},
	{NULL, CURSOR_PATH, true, false, ASK_STREAM, "GET, HEAD, POST, OPTIONS"},
	{"/health", "", true, true, ASK_HEALTH, "GET, HEAD"},
	{"/health/ready", "", true, true, ASK_READY, "GET, HEAD"},
	{"/health/live", "", true, true, ASK_LIVE, "GET, HEAD"},
	{"/metrics", "", false, true, ASK_METRICS, "GET, HEAD"},
	{"/metrics/prometheus", "", false, true, ASK_PROMETHEUS, "GET, HEAD"},
};

static bool is_at(const struct place *p, const char *base, struct span path)
{
	size_t len = strlen(base);

	return path.len >= len && memcmp(path.at, base, len) == 0 &&
	       span_is((struct span){path.at + len, path.len - len}, p->below);
}

static const struct place *find_place(const struct route_config *config, enum route_place where,
				      struct span path)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct place *p = &places[i];
		bool here = (p->on_public && where != ROUTE_ADMIN) ||
			    (p->on_admin && where != ROUTE_PUBLIC);
		if (here && is_at(p, p->path ? p->path : config->sse_path, path))
			return p;
	}
	return NULL;
}

static bool is_one_of(struct span word, const char *list)
{
	for (const char *at = list; *at;) {
		size_t len = strcspn(at, ", ");
		if (len == word.len && memcmp(at, word.at, len) == 0)
			return true;
		at += len + strspn(at + len, ", ");
	}
	return false;
}

/* Methods of RFC 9110 and 5789 that a server may know and still not allow here. */
static const char known_methods[] = "GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH";

static void check_method(struct ask *a, const struct place *p, struct span method)
{
	if (is_one_of(method, p->allow)) {
		a->kind = p->kind;
		if (span_is(method, "OPTIONS"))
			a->kind = ASK_PREFLIGHT;
	} else if (is_one_of(method, known_methods)) {
		wrong(a, 405, "Method Not Allowed");
		a->allow = p->allow;
	} else {
		wrong(a, 501, "Method not implemented");
	}
}

/* RFC 9110 section 12.5.1; parameters and weights do not matter to us. */
static bool accepts(const struct http_request *r, struct span want)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		struct span v = r->headers[i].value;
		if (!http_name_equal(r->headers[i].name, span_of("Accept")))
			continue;
		for (size_t at = 0; at + want.len <= v.len; at++)
			if (http_name_equal((struct span){v.at + at, want.len}, want))
				return true;
	}
	return false;
}

static const char twice[] = "A header that decides about access stands there twice";

/* Copies the places of the headers that the auth call shall see. Two of one kind could mean one
 * thing to us and another to the backend, so they are refused. */
static int collect_forwarded(struct ask *a, const struct route_config *config,
			     const struct http_request *r)
{
	if (config->n_forward == 0)
		return 0;
	a->forward = calloc(config->n_forward, sizeof(*a->forward));
	if (!a->forward)
		return -1;
	for (size_t i = 0; i < config->n_forward; i++) {
		const char *name = config->forward[i];
		struct span value = http_request_header(r, name);
		if (!value.at)
			continue;
		if (http_request_count(r, name) > 1) {
			wrong(a, 400, twice);
			return 0;
		}
		a->forward[a->n_forward++] = (struct http_header){span_of(name), value};
	}
	return 0;
}

static int read_ticket(struct ask *a, const struct route_config *config,
		       const struct http_request *r)
{
	int err = config->ticket_cookie ? ticket_place_find(a, r, config->ticket_cookie) : 0;

	if (err == -EINVAL)
		wrong(a, 400, twice);
	return err == -ENOMEM ? -1 : 0;
}

static int read_stream(struct ask *a, const struct route_config *config,
		       const struct http_request *r, struct span body)
{
	const char *why = NULL;
	unsigned status = 400;

	a->event_stream = accepts(r, span_of("text/event-stream"));
	a->json = !a->event_stream && accepts(r, span_of("application/json"));
	if (collect_forwarded(a, config, r) != 0)
		return -1;
	if (a->kind == ASK_ERROR)
		return 0;
	switch (subscribe_form_read(a, config->max_topics, config->cluster, r, body, &status,
				    &why)) {
	case SUBSCRIBE_FORM_OK: return read_ticket(a, config, r);
	case SUBSCRIBE_FORM_NOMEM: return -1;
	case SUBSCRIBE_FORM_BAD: break;
	}
	if (why)
		wrong(a, status, why);
	else /* detail is filled */
		a->kind = ASK_ERROR, a->status = status;
	return 0;
}

struct ask *route(const struct route_config *config, enum route_place place,
		  const struct http_request *r, struct span body, char *input)
{
	struct ask *a = calloc(1, sizeof(*a));
	if (!a) {
		free(input);
		return NULL;
	}
	a->input = input;
	a->method = r->method;
	a->head = span_is(r->method, "HEAD");
	a->uri = r->target;
	a->origin = http_request_header(r, "Origin");
	if (http_request_count(r, "Origin") > 1)
		a->origin = (struct span){NULL, 0};

	const struct place *p = find_place(config, place, r->path);
	if (!p)
		wrong(a, 404, "Not Found");
	else
		check_method(a, p, r->method);
	a->cursor_only = p && *p->below;
	if (a->kind == ASK_STREAM && read_stream(a, config, r, body) != 0) {
		ask_free(a);
		return NULL;
	}
	return a;
}
