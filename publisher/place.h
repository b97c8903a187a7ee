/* place: a server that a command goes to, and what its answer means for that. Shared by those who
 * know where servers are (sentinel_sync, cluster_sync) and by servers, which asks them. */
#ifndef TIDINGS_PUBLISHER_PLACE_H
#define TIDINGS_PUBLISHER_PLACE_H

#include <stdbool.h>
#include <string.h>

struct redis_sync;

struct place {
	struct redis_sync *link; /* connected, and known to be that server; for
				    redis_sync_call_linked */
	const char *name;        /* as ids.lua wants it */
	bool asking;             /* ASKING goes before the command */
};

enum place_verdict {
	PLACE_ANSWERED, /* that was the answer */
	PLACE_NEXT,     /* it is to be tried again at once, at the place that is reached then */
	PLACE_LATER,    /* the same a little later */
};

/* Errors by which a server says that it is not the one that takes writes now. */
static inline bool place_declines(const char *error)
{
	static const char *const words[] = {"READONLY ", "UNBLOCKED ", "MASTERDOWN ", "LOADING "};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strncmp(error, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}

#endif
