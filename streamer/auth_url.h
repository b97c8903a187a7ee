/* auth_url: the setting auth_url with a topic put in. Client data lands in one percent-encoded
 * place only: scheme, host, port and path stay what the settings say. */
#ifndef TIDINGS_STREAMER_AUTH_URL_H
#define TIDINGS_STREAMER_AUTH_URL_H

#include <stddef.h>
#include "common/span.h"

struct buf;

struct auth_url {
	char *socket; /* path of a unix socket, NULL: TCP */
	char *url;    /* what libcurl is given, before the topic is put in */
};

/* text passed the check of the settings. Returns 0 or -ENOMEM. */
int auth_url_init(struct auth_url *u, const char *text);
void auth_url_done(struct auth_url *u);

/* Appends the URL for one topic, with a NUL: every {topic} replaced, or topic= added to the query;
 * without a topic (at == NULL) as it stands.
 * Returns 0, -ENOBUFS, -ENOMEM. */
int auth_url_for(const struct auth_url *u, struct span topic, struct buf *b);

#endif
