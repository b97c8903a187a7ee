/* request: one publish request as the web server handed it over, whichever way it did. Everything
 * is borrowed for the time of the request; texts are NULL when absent, and an empty one counts as
 * absent. */
#ifndef TIDINGS_PUBLISHER_REQUEST_H
#define TIDINGS_PUBLISHER_REQUEST_H

#include "common/span.h"

struct request {
	const char *method;
	const char *content_type;
	const char *content_length;
	const char *script_name;
	const char *path_info;
	const char *authorization;
	const char *remote_user;
	const char *idempotency_key; /* the header */
	struct span body;            /* at == NULL until it was read */
};

#endif
