/* redis_info: reads the answer to INFO (lines `name:value` that end with CRLF). */
#ifndef TIDINGS_STREAMER_REDIS_INFO_H
#define TIDINGS_STREAMER_REDIS_INFO_H

#include <stdbool.h>
#include "common/span.h"

/* The value of a line; at == NULL when there is none. */
struct span redis_info_value(struct span info, const char *name);

/* True when this Redis throws keys away once its memory is full: logs go with them, and with them
 * what reconnecting listeners missed. *policy is the maxmemory-policy that does. */
bool redis_info_evicts(struct span info, struct span *policy);

#endif
