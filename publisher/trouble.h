/* trouble: what is wrong with Redis, in words for people: to the log once for each kind, not for
 * each request that meets it. */
#ifndef TIDINGS_PUBLISHER_TROUBLE_H
#define TIDINGS_PUBLISHER_TROUBLE_H

#include <stdint.h>
#include "publisher/redis_sync.h"

struct servers;

struct trouble {
	const char *why;  /* of the last failure; static words */
	const char *told; /* the last one that was logged; NULL when all is well */
	int64_t told_at;
};

/* Notes why (static words), and logs it with Redis's or the system's own words. */
void trouble_tell(struct trouble *t, const char *why, const char *words);

/* The same for an error that Redis answered, and for a call that failed. */
void trouble_tell_error(struct trouble *t, const char *error);
void trouble_tell_status(struct trouble *t, enum redis_sync_status status, const char *words);

/* All is well (again). */
void trouble_over(struct trouble *t);

#endif
