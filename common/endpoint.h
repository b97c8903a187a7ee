/* endpoint: a place to listen at: host:port, [v6]:port, unix:/path. Numeric addresses or
 * `localhost` and `*`; names are not looked up. */
#ifndef TIDINGS_COMMON_ENDPOINT_H
#define TIDINGS_COMMON_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct endpoint {
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

/* Returns 0, or -EINVAL with *why set to static words for people. `localhost` is 127.0.0.1, `*`
 * every IPv4 address. Port 0 asks the system for a free one. *out is written on success alone. */
int endpoint_parse(const char *text, size_t len, struct endpoint *out, const char **why);

/* True when only one of the two can be listened at: the same place, or one port of which one takes
 * every address. Port 0 clashes with nothing. */
bool endpoint_clash(const struct endpoint *a, const struct endpoint *b);

/* Writes host:port, [v6]:port or unix:/path with its NUL to out, cut at size. Returns out. */
char *endpoint_format(const struct sockaddr *addr, socklen_t len, char *out, size_t size);

#endif
