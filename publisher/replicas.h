/* replicas: publish_wait_replicas: what a call wrote is safe when so many replicas have it. */
#ifndef TIDINGS_PUBLISHER_REPLICAS_H
#define TIDINGS_PUBLISHER_REPLICAS_H

#include <stdint.h>
#include "publisher/log.h"

struct servers;
struct trouble;

struct replicas {
	struct servers *servers;
	struct trouble *trouble; /* gets to know why something failed */
	uint64_t wanted;
	int64_t deadline;
};

/* Makes the call, by servers_call, and waits until so many replicas have what it wrote; with none
 * wanted, only makes the call. When the master is lost meanwhile, the whole is done once more, so
 * the call must bear it, and write anew. The call's outcome, or UNSAFE. */
enum publish_log_outcome replicas_call(const struct replicas *r,
				       enum publish_log_outcome (*call)(void *ctx), void *ctx);

#endif
