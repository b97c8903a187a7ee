/* auth_url: text work on the auth URL; asking is auth.c's. */
#include "streamer/auth_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/urlenc.h"

static const char place[] = "{topic}";

static int init_unix(struct auth_url *u, const char *path)
{
	static const char host[] = "http://localhost";
	const char *colon = strstr(path, ":/");
	const char *uri = colon ? colon + 1 : "/";
	size_t path_len = colon ? (size_t)(colon - path) : strlen(path);

	u->socket = strndup(path, path_len);
	u->url = malloc(sizeof(host) + strlen(uri));
	if (!u->socket || !u->url)
		return -ENOMEM;
	memcpy(u->url, host, sizeof(host) - 1);
	memcpy(u->url + sizeof(host) - 1, uri, strlen(uri) + 1);
	return 0;
}

int auth_url_init(struct auth_url *u, const char *text)
{
	*u = (struct auth_url){NULL, NULL};
	if (strncmp(text, "unix:", 5) == 0) {
		int err = init_unix(u, text + 5);
		if (err)
			auth_url_done(u);
		return err;
	}
	u->url = strdup(text);
	return u->url ? 0 : -ENOMEM;
}

void auth_url_done(struct auth_url *u)
{
	free(u->socket);
	free(u->url);
	*u = (struct auth_url){NULL, NULL};
}

int auth_url_for(const struct auth_url *u, struct span topic, struct buf *b)
{
	const char *at = u->url, *found;
	int err = 0;

	if (!topic.at)
		return buf_append(b, at, strlen(at) + 1);
	if (!strstr(at, place)) {
		err |= buf_append_str(b, at);
		err |= buf_append_str(b, strchr(at, '?') ? "&topic=" : "?topic=");
		err |= urlenc_append(b, topic.at, topic.len);
		return err | buf_append(b, "", 1);
	}
	while ((found = strstr(at, place))) {
		err |= buf_append(b, at, (size_t)(found - at));
		err |= urlenc_append(b, topic.at, topic.len);
		at = found + sizeof(place) - 1;
	}
	return err | buf_append(b, at, strlen(at) + 1);
}
