/* asking: a request as it would come from a socket, turned into an ask, for tests of route.c. */
#ifndef TIDINGS_TESTS_UNIT_ASKING_H
#define TIDINGS_TESTS_UNIT_ASKING_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "streamer/ask.h"
#include "streamer/http_request.h"
#include "streamer/route.h"

static const char *const asking_forward_names[] = {"Authorization", "Cookie", "Origin"};

static inline struct route_config asking_config(void)
{
	return (struct route_config){
		.sse_path = "/events",
		.max_topics = 4,
		.forward = (char **)asking_forward_names,
		.n_forward = 3,
	};
}

/* The ask for a whole request of len bytes; the caller frees it. NULL when memory is out. */
static inline struct ask *asking_with(const struct route_config *config, enum route_place place,
				      const char *bytes, size_t len)
{
	struct http_request r;
	struct http_error error;
	char *input = malloc(len + 1);

	if (!input)
		return NULL;
	memcpy(input, bytes, len);
	if (http_request_parse(input, len, &r, &error) != HTTP_DONE)
		abort();
	return route(config, place, &r, (struct span){input + r.head_len, len - r.head_len}, input);
}

static inline struct ask *asking_bytes(enum route_place place, const char *bytes, size_t len)
{
	struct route_config config = asking_config();

	return asking_with(&config, place, bytes, len);
}

static inline struct ask *asking(enum route_place place, const char *text)
{
	struct ask *a = asking_bytes(place, text, strlen(text));
	ck_assert_ptr_nonnull(a);
	return a;
}

#endif
