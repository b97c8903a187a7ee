/* cors: header lines for the origins of the settings. An answer that depends on Origin says so with
 * Vary, also when the origin is not allowed, or a cache would hand one page's permission to
 * another. */
#include "streamer/cors.h"

#include <errno.h>
#include <stdlib.h>
#include "common/buf.h"

const char cors_preflight_lines[] = "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
				    "Access-Control-Allow-Headers: Authorization, Content-Type, "
				    "Last-Event-ID, Cache-Control\r\n"
				    "Access-Control-Max-Age: 86400\r\n";

int cors_add(struct cors *c, const char *origin)
{
	if (strcmp(origin, "*") == 0) {
		c->any = true;
		return 0;
	}
	char **grown = realloc(c->origins, (c->n_origins + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->origins = grown;
	c->origins[c->n_origins] = strdup(origin);
	if (!c->origins[c->n_origins])
		return -ENOMEM;
	c->n_origins++;
	return 0;
}

void cors_done(struct cors *c)
{
	for (size_t i = 0; i < c->n_origins; i++)
		free(c->origins[i]);
	free(c->origins);
	*c = (struct cors){0};
}

static bool allowed(const struct cors *c, struct span origin)
{
	for (size_t i = 0; i < c->n_origins; i++)
		if (span_is(origin, c->origins[i]))
			return true;
	return false;
}

int cors_headers(const struct cors *c, struct span origin, struct buf *b)
{
	if (c->any)
		return buf_append_str(b, "Access-Control-Allow-Origin: *\r\n");
	if (c->n_origins == 0)
		return 0;
	int err = buf_append_str(b, "Vary: Origin\r\n");
	if (!err && origin.at && allowed(c, origin))
		err = buf_printf(b,
				 "Access-Control-Allow-Origin: %.*s\r\n"
				 "Access-Control-Allow-Credentials: true\r\n",
				 (int)origin.len, origin.at);
	return err;
}
