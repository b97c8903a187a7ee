/* ticket_place: see ticket_place.h. Whether it is good is ticket.c's to say. A Bearer that does not
 * look like a ticket is none: it may be meant for the auth URL. */
#include "streamer/ticket_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/urlenc.h"
#include "streamer/ask.h"
#include "streamer/http_request.h"
#include "streamer/ticket_form.h"

static const char parameter[] = "ticket";

static struct span bearer(const struct http_request *r)
{
	static const char scheme[] = "Bearer ";
	const size_t len = sizeof(scheme) - 1;
	struct span v = http_request_header(r, "Authorization");

	if (!v.at || v.len < len ||
	    !http_name_equal((struct span){v.at, len}, (struct span){scheme, len}))
		return (struct span){NULL, 0};
	v = span_trim((struct span){v.at + len, v.len - len});
	return ticket_form_fits(v) ? v : (struct span){NULL, 0};
}

/* One `name=value` of a Cookie header; false at its end. */
static bool next_cookie(struct span *rest, struct span *name, struct span *value)
{
	const char *stop = rest->len ? memchr(rest->at, ';', rest->len) : NULL;
	size_t len = stop ? (size_t)(stop - rest->at) : rest->len;
	struct span pair = span_trim((struct span){rest->at, len});
	const char *sign = pair.len ? memchr(pair.at, '=', pair.len) : NULL;

	if (rest->len == 0)
		return false;
	len += stop != NULL;
	*rest = (struct span){rest->at + len, rest->len - len};
	*name = sign ? (struct span){pair.at, (size_t)(sign - pair.at)} : pair;
	*value = sign ? (struct span){sign + 1, pair.len - name->len - 1} : (struct span){"", 0};
	return true;
}

static struct span cookie_named(const struct http_request *r, const char *wanted)
{
	struct span name, value;

	for (size_t i = 0; i < r->n_headers && *wanted; i++) {
		struct span rest = r->headers[i].value;

		if (!http_name_equal(r->headers[i].name, span_of("Cookie")))
			continue;
		while (next_cookie(&rest, &name, &value))
			if (span_is(name, wanted) && value.len > 0)
				return value;
	}
	return (struct span){NULL, 0};
}

static bool is_parameter(struct span raw)
{
	char name[3 * sizeof(parameter)];
	long len = raw.len <= sizeof(name) ? urlenc_decode(raw, true, name) : -1;

	return len > 0 && span_is((struct span){name, (size_t)len}, parameter);
}

/* The target without its `ticket=`: backends and redirects get to see it, and may log it. */
static int hide(struct ask *a)
{
	const char *sign = memchr(a->uri.at, '?', a->uri.len);
	struct span name, value;
	struct urlenc_walk w;

	if (!sign)
		return 0;
	a->shown_uri = malloc(a->uri.len);
	if (!a->shown_uri)
		return -ENOMEM;
	size_t len = (size_t)(sign - a->uri.at);
	memcpy(a->shown_uri, a->uri.at, len);
	char before = '?';
	urlenc_walk(&w, sign + 1, a->uri.len - len - 1);
	while (urlenc_next(&w, &name, &value)) {
		size_t pair = value.at ? (size_t)(value.at + value.len - name.at) : name.len;

		if (is_parameter(name))
			continue;
		a->shown_uri[len++] = before;
		memcpy(a->shown_uri + len, name.at, pair);
		len += pair;
		before = '&';
	}
	a->uri = (struct span){a->shown_uri, len};
	return 0;
}

int ticket_place_find(struct ask *a, const struct http_request *r, const char *cookie)
{
	struct span found = bearer(r);

	if (http_request_count(r, "Authorization") > 1)
		return -EINVAL;
	if (found.at)
		a->ticket = found;
	if (!a->ticket.at)
		a->ticket = cookie_named(r, cookie);
	return hide(a);
}
