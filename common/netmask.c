/* netmask: see netmask.h. Addresses of both families are compared as 16 bytes, IPv4 in its
 * IPv6-mapped form, so that a peer matches whichever family its socket has. `::/0` therefore means
 * everybody on TCP. */
#include "common/netmask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/num.h"

#define V4_BYTES_AT 12 /* where IPv4's four bytes stand in the mapped form */
#define V4_BITS_AT  (V4_BYTES_AT * 8)

static void map_v4(const void *v4, uint8_t out[16])
{
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + V4_BYTES_AT, v4, 4);
}

/* *v4 says which form text had. */
static int parse_address(const char *text, size_t len, uint8_t out[16], bool *v4)
{
	char host[INET6_ADDRSTRLEN + 1];
	struct in_addr in;
	struct in6_addr in6;

	if (len >= sizeof(host) || memchr(text, '\0', len))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, &in) == 1) {
		map_v4(&in, out);
		*v4 = true;
		return 0;
	}
	if (inet_pton(AF_INET6, host, &in6) == 1) {
		memcpy(out, &in6, 16);
		*v4 = false;
		return 0;
	}
	return -EINVAL;
}

int netmask_parse_address(const char *text, size_t len, uint8_t out[16])
{
	bool v4;

	return parse_address(text, len, out, &v4);
}

static bool bits_behind(const uint8_t address[16], unsigned prefix)
{
	for (unsigned bit = prefix; bit < 128; bit++) {
		if (address[bit / 8] & (0x80u >> (bit % 8)))
			return true;
	}
	return false;
}

int netmask_parse(const char *text, size_t len, struct netmask *out)
{
	struct netmask m = {0};

	if (len == 4 && memcmp(text, "unix", 4) == 0) {
		m.unix_peer = true;
		*out = m;
		return 0;
	}

	const char *slash = memchr(text, '/', len);
	size_t address_len = slash ? (size_t)(slash - text) : len;
	bool v4;
	if (parse_address(text, address_len, m.address, &v4) < 0)
		return -EINVAL;
	uint64_t prefix = v4 ? 32 : 128;
	if (slash && num_parse_u64(slash + 1, len - address_len - 1, 0, prefix, &prefix) < 0)
		return -EINVAL;
	m.prefix = (unsigned)prefix + (v4 ? V4_BITS_AT : 0);
	if (bits_behind(m.address, m.prefix))
		return -EINVAL;
	*out = m;
	return 0;
}

bool netmask_match(const struct netmask *m, const struct sockaddr *addr)
{
	uint8_t address[16];

	if (m->unix_peer || addr->sa_family == AF_UNIX)
		return m->unix_peer && addr->sa_family == AF_UNIX;
	if (addr->sa_family == AF_INET)
		map_v4(&((const struct sockaddr_in *)addr)->sin_addr, address);
	else if (addr->sa_family == AF_INET6)
		memcpy(address, &((const struct sockaddr_in6 *)addr)->sin6_addr, 16);
	else
		return false;

	unsigned bytes = m->prefix / 8, bits = m->prefix % 8;
	if (memcmp(address, m->address, bytes) != 0)
		return false;
	return bits == 0 || ((address[bytes] ^ m->address[bytes]) >> (8 - bits)) == 0;
}
