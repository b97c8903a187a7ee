/* address: see address.h. */
#include "bench/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/num.h"

bool address_parse(const char *text, struct sockaddr_in *out)
{
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	uint64_t port;

	if (!colon || (size_t)(colon - text) >= sizeof(host) ||
	    num_parse_u64(colon + 1, strlen(colon + 1), 1, 65535, &port) < 0)
		return false;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	*out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}
