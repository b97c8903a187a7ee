/* endpoint: see endpoint.h. Turns the text of `listen` and `admin_listen` into socket addresses and
 * back. Owns nothing and opens nothing; who listens there, and what happens to an old socket file,
 * is the listener's affair. */
#include "common/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/num.h"

static int parse_unix(const char *path, size_t len, struct endpoint *out, const char **why)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->addr;

	if (len == 0 || path[0] != '/') {
		*why = "the path of a unix socket must be absolute: unix:/path";
		return -EINVAL;
	}
	if (len >= sizeof(un->sun_path)) {
		*why = "the path of a unix socket can have 107 bytes at most";
		return -EINVAL;
	}
	if (memchr(path, '\0', len)) {
		*why = "the path of a unix socket holds a NUL";
		return -EINVAL;
	}
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len);
	out->addr_len = sizeof(*un);
	return 0;
}

/* host is NUL-terminated. */
static int parse_v4(const char *host, uint16_t port, struct endpoint *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->addr;

	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	out->addr_len = sizeof(*in);
	if (strcmp(host, "*") == 0)
		in->sin_addr.s_addr = htonl(INADDR_ANY);
	else if (strcmp(host, "localhost") == 0)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		return -EINVAL;
	return 0;
}

static int parse_v6(const char *host, uint16_t port, struct endpoint *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->addr;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	out->addr_len = sizeof(*in6);
	return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1 ? 0 : -EINVAL;
}

static int parse_host_port(const char *text, size_t len, struct endpoint *out, const char **why)
{
	const char *colon = memrchr(text, ':', len);
	bool bracketed = len > 0 && text[0] == '[';
	char host[INET6_ADDRSTRLEN + 1];
	uint64_t port;

	if (!colon) {
		*why = "the port is missing: host:port, [v6]:port or unix:/path";
		return -EINVAL;
	}
	if (num_parse_u64(colon + 1, (size_t)(text + len - colon - 1), 0, 65535, &port) < 0) {
		*why = "the port must be a number from 0 to 65535";
		return -EINVAL;
	}

	size_t host_len = (size_t)(colon - text);
	if (bracketed && (host_len < 2 || text[host_len - 1] != ']')) {
		*why = "an IPv6 address is written [address]:port";
		return -EINVAL;
	}
	const char *start = bracketed ? text + 1 : text;
	host_len -= bracketed ? 2 : 0;
	if (host_len >= sizeof(host) || memchr(start, '\0', host_len)) {
		*why = "not a numeric address";
		return -EINVAL;
	}
	memcpy(host, start, host_len);
	host[host_len] = '\0';
	if ((bracketed ? parse_v6 : parse_v4)(host, (uint16_t)port, out) < 0) {
		*why = "the host must be a numeric address, localhost or * (names are not looked "
		       "up)";
		return -EINVAL;
	}
	return 0;
}

int endpoint_parse(const char *text, size_t len, struct endpoint *out, const char **why)
{
	static const char unix_prefix[] = "unix:";
	const size_t prefix_len = sizeof(unix_prefix) - 1;
	struct endpoint parsed = {0};
	int rc;

	if (len >= prefix_len && memcmp(text, unix_prefix, prefix_len) == 0)
		rc = parse_unix(text + prefix_len, len - prefix_len, &parsed, why);
	else
		rc = parse_host_port(text, len, &parsed, why);
	if (rc == 0)
		*out = parsed;
	return rc;
}

static void format_unix(const struct sockaddr_un *un, socklen_t len, char *out, size_t size)
{
	size_t head = offsetof(struct sockaddr_un, sun_path);
	size_t room = len > head ? len - head : 0;

	/* an unnamed peer has no path at all */
	snprintf(out, size, "unix:%.*s", (int)strnlen(un->sun_path, room), un->sun_path);
}

char *endpoint_format(const struct sockaddr *addr, socklen_t len, char *out, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (addr->sa_family == AF_UNIX) {
		format_unix((const struct sockaddr_un *)addr, len, out, size);
	} else if (addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(out, size, "%s:%u", host, ntohs(in->sin_port));
	} else if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;

		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(out, size, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else {
		snprintf(out, size, "?");
	}
	return out;
}

static bool inet_clash(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
	bool every = a->sin_addr.s_addr == INADDR_ANY || b->sin_addr.s_addr == INADDR_ANY;

	return a->sin_port != 0 && a->sin_port == b->sin_port &&
	       (every || a->sin_addr.s_addr == b->sin_addr.s_addr);
}

static bool inet6_clash(const struct sockaddr_in6 *a, const struct sockaddr_in6 *b)
{
	bool every =
		IN6_IS_ADDR_UNSPECIFIED(&a->sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&b->sin6_addr);

	return a->sin6_port != 0 && a->sin6_port == b->sin6_port &&
	       (every || memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr)) == 0);
}

bool endpoint_clash(const struct endpoint *a, const struct endpoint *b)
{
	const void *x = &a->addr, *y = &b->addr;

	if (a->addr.ss_family != b->addr.ss_family)
		return false;
	if (a->addr.ss_family == AF_INET)
		return inet_clash(x, y);
	if (a->addr.ss_family == AF_INET6)
		return inet6_clash(x, y);
	return strcmp(((const struct sockaddr_un *)x)->sun_path,
		      ((const struct sockaddr_un *)y)->sun_path) == 0;
}
