/* forwarded: finds the client behind the proxies. Knows the trusted ones; leaves counting to
 * server.c. */
#include "streamer/forwarded.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include "streamer/http_request.h"

static bool trusted(const struct netmask *masks, size_t n, const struct sockaddr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (netmask_match(&masks[i], addr))
			return true;
	return false;
}

static struct client_ip of_peer(const struct sockaddr *peer)
{
	struct client_ip ip = {.known = true, .bytes = {[10] = 0xff, [11] = 0xff}};

	if (peer->sa_family == AF_INET)
		memcpy(ip.bytes + 12, &((const struct sockaddr_in *)(const void *)peer)->sin_addr,
		       4);
	else if (peer->sa_family == AF_INET6)
		memcpy(ip.bytes, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, 16);
	else
		ip.known = false;
	return ip;
}

static struct sockaddr_in6 as_sockaddr(const struct client_ip *ip)
{
	struct sockaddr_in6 addr = {.sin6_family = AF_INET6};
	memcpy(&addr.sin6_addr, ip->bytes, 16);
	return addr;
}

/* Takes the last element off a comma-separated list. */
static bool take_last(struct span *list, struct span *last)
{
	if (!list->at)
		return false;
	size_t begin = list->len;
	while (begin > 0 && list->at[begin - 1] != ',')
		begin--;
	*last = span_trim((struct span){list->at + begin, list->len - begin});
	if (begin == 0)
		list->at = NULL;
	else
		list->len = begin - 1;
	return true;
}

/* Goes one header to the left along its hops. Returns false when the walk is over. */
static bool walk(const struct netmask *masks, size_t n, struct span list, struct client_ip *ip)
{
	struct span hop;
	while (take_last(&list, &hop)) {
		struct client_ip said = {.known = true};
		if (netmask_parse_address(hop.at, hop.len, said.bytes) != 0)
			return false;
		*ip = said;
		struct sockaddr_in6 addr = as_sockaddr(&said);
		if (!trusted(masks, n, (const struct sockaddr *)&addr))
			return false;
	}
	return true;
}

struct client_ip forwarded_client(const struct netmask *masks, size_t n,
				  const struct sockaddr *peer, const struct http_request *r)
{
	struct client_ip ip = of_peer(peer);

	if (!trusted(masks, n, peer))
		return ip;
	for (size_t i = r->n_headers; i-- > 0;)
		if (http_name_equal(r->headers[i].name, span_of("X-Forwarded-For")) &&
		    !walk(masks, n, r->headers[i].value, &ip))
			break;
	return ip;
}

void client_ip_format(const struct client_ip *ip, char *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (!ip->known)
		memcpy(out, "unknown", sizeof("unknown"));
	else if (memcmp(ip->bytes, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, ip->bytes + 12, out, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, ip->bytes, out, INET6_ADDRSTRLEN);
}
