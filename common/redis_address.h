/* redis_address: where a Redis server listens, as other servers (nodes of a Cluster, sentinels) say
 * it. */
#ifndef TIDINGS_COMMON_REDIS_ADDRESS_H
#define TIDINGS_COMMON_REDIS_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include "common/span.h"

#define REDIS_HOST_BYTES    256                    /* with its NUL */
#define REDIS_ADDRESS_BYTES (REDIS_HOST_BYTES + 6) /* host:port with its NUL */

struct redis_address {
	char host[REDIS_HOST_BYTES]; /* name or address, without brackets */
	uint16_t port;
};

/* Takes over what was said: a host of 1..255 bytes without blanks and control characters, and not
 * "?", which is said by who does not know. Returns 0 or -EINVAL; *out is written on success alone.
 */
int redis_address_make(struct span host, uint16_t port, struct redis_address *out);

bool redis_address_equal(const struct redis_address *a, const struct redis_address *b);

/* `host:port`, with a NUL, to out[REDIS_ADDRESS_BYTES]; returns out. */
char *redis_address_format(const struct redis_address *a, char *out);

#endif
