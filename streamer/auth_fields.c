/* auth_fields: gathers header lines; what they mean is auth_policy.c's and auth_reply.c's. */
#include "streamer/auth_fields.h"

#include <string.h>
#include "streamer/http_request.h"

static const struct {
	const char *name;
	const char *too_long; /* what it reads as then */
} fields[AUTH_FIELDS] = {
	[AUTH_FIELD_CHALLENGE] = {"WWW-Authenticate", NULL},
	[AUTH_FIELD_CACHE_CONTROL] = {"Cache-Control", "no-store"},
	[AUTH_FIELD_VARY] = {"Vary", "*"},
	[AUTH_FIELD_AGE] = {"Age", "too long"},
	[AUTH_FIELD_USER] = {"X-SSE-User", "\x7f"},
	[AUTH_FIELD_EXPIRES] = {"X-SSE-Expires", "too long"},
};

/* Several lines of one name are one list. */
static void add_value(struct auth_field_text *text, struct span value)
{
	static const char comma[] = ", ";
	size_t joint = text->there ? sizeof(comma) - 1 : 0;
	size_t room = sizeof(text->bytes) - text->len;

	if (text->too_long || value.len > room || joint > room - value.len) {
		text->too_long = true;
		return;
	}
	memcpy(text->bytes + text->len, comma, joint);
	memcpy(text->bytes + text->len + joint, value.at, value.len);
	text->len += joint + value.len;
	text->there = true;
}

void auth_fields_add(struct auth_fields *f, struct span line)
{
	const char *colon = memchr(line.at, ':', line.len);

	if (line.len >= 5 && memcmp(line.at, "HTTP/", 5) == 0) {
		memset(f, 0, sizeof(*f));
		return;
	}
	if (!colon)
		return;
	struct span name = {line.at, (size_t)(colon - line.at)};
	struct span value = {colon + 1, line.len - name.len - 1};
	while (value.len > 0 &&
	       (value.at[value.len - 1] == '\r' || value.at[value.len - 1] == '\n'))
		value.len--;
	for (size_t i = 0; i < AUTH_FIELDS; i++)
		if (http_name_equal(name, span_of(fields[i].name)))
			add_value(&f->of[i], span_trim(value));
}

struct span auth_fields_get(const struct auth_fields *f, enum auth_field which)
{
	const struct auth_field_text *text = &f->of[which];

	if (text->too_long)
		return span_of(fields[which].too_long);
	return (struct span){text->there ? text->bytes : NULL, text->len};
}
