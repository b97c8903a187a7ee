/* redis_address: see redis_address.h. */
#include "common/redis_address.h"

#include <errno.h>
#include <stdio.h>

static bool host_valid(struct span host)
{
	if (host.len == 0 || host.len >= REDIS_HOST_BYTES || span_is(host, "?"))
		return false;
	for (size_t i = 0; i < host.len; i++) {
		if ((unsigned char)host.at[i] <= ' ' || host.at[i] == 0x7f)
			return false;
	}
	return true;
}

int redis_address_make(struct span host, uint16_t port, struct redis_address *out)
{
	if (port == 0 || !host_valid(host))
		return -EINVAL;
	*out = (struct redis_address){.port = port};
	memcpy(out->host, host.at, host.len);
	return 0;
}

bool redis_address_equal(const struct redis_address *a, const struct redis_address *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

char *redis_address_format(const struct redis_address *a, char *out)
{
	snprintf(out, REDIS_ADDRESS_BYTES, "%s:%u", a->host, a->port);
	return out;
}
