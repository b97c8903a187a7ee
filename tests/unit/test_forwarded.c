/* test_forwarded: who is behind the proxies. */
#include "streamer/forwarded.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "streamer/http_request.h"
#include "tests/unit/run.h"

static struct sockaddr_storage peer_of(const char *text)
{
	struct sockaddr_storage addr = {.ss_family = AF_UNIX};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&addr;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	return addr;
}

static size_t trust(const char *list, struct netmask *masks)
{
	size_t n = 0;
	while (*list) {
		size_t len = strcspn(list, " ");
		ck_assert_int_eq(netmask_parse(list, len, &masks[n++]), 0);
		list += len + strspn(list + len, " ");
	}
	return n;
}

/* headers: the values of X-Forwarded-For, one a header, separated by `|`. */
static void read_headers(const char *headers, struct http_request *r)
{
	*r = (struct http_request){0};
	while (headers && r->n_headers < HTTP_MAX_HEADERS) {
		size_t len = strcspn(headers, "|");
		r->headers[r->n_headers++] =
			(struct http_header){span_of("x-forwarded-FOR"), {headers, len}};
		headers = headers[len] ? headers + len + 1 : NULL;
	}
}

static struct client_ip client_of(const char *trusted, const char *peer, const char *headers)
{
	struct netmask masks[8];
	struct http_request r;
	struct sockaddr_storage addr = peer_of(peer);

	read_headers(headers, &r);
	return forwarded_client(masks, trust(trusted, masks), (struct sockaddr *)&addr, &r);
}

#define LOCAL "127.0.0.1 ::1 unix"
#define CHAIN "10.0.0.0/8 2001:db8::/32 unix"

START_TEST(the_client_is_the_first_from_the_right_whom_no_trusted_proxy_is)
{
	static const struct {
		const char *trusted, *peer, *headers, *client;
	} cases[] = {
		{LOCAL, "203.0.113.9", NULL, "203.0.113.9"},
		{LOCAL, "203.0.113.9", "198.51.100.1", "203.0.113.9"},
		{LOCAL, "127.0.0.1", NULL, "127.0.0.1"},
		{LOCAL, "127.0.0.1", "198.51.100.1", "198.51.100.1"},
		{LOCAL, "::1", "198.51.100.1", "198.51.100.1"},
		{LOCAL, "::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"},
		{LOCAL, "unix", NULL, "unknown"},
		{LOCAL, "unix", "198.51.100.1", "198.51.100.1"},
		{LOCAL, "unix", "2001:db8::7", "2001:db8::7"},
		{LOCAL, "unix", "::ffff:198.51.100.1", "198.51.100.1"},
		{"127.0.0.1", "unix", "198.51.100.1", "unknown"},
		{"", "127.0.0.1", "198.51.100.1", "127.0.0.1"},
		{LOCAL, "127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"},
		{LOCAL, "127.0.0.1", "6.6.6.6,198.51.100.1", "198.51.100.1"},
		{LOCAL, "127.0.0.1", "6.6.6.6, 127.0.0.1", "6.6.6.6"},
		{LOCAL, "127.0.0.1", "6.6.6.6, 127.0.0.1, ::1", "6.6.6.6"},
		{CHAIN, "10.0.0.1", "6.6.6.6, 198.51.100.1, 10.1.1.1, 10.2.2.2", "198.51.100.1"},
		{CHAIN, "10.0.0.1", "10.9.9.9, 10.2.2.2", "10.9.9.9"},
		{CHAIN, "2001:db8::1", "203.0.113.5, 2001:db8:1::2", "203.0.113.5"},
		{CHAIN, "unix", "203.0.113.5,\t10.0.0.7 ", "203.0.113.5"},
		/* several headers are one list, the last one is the nearest */
		{CHAIN, "10.0.0.1", "6.6.6.6|198.51.100.1|10.1.1.1", "198.51.100.1"},
		{CHAIN, "10.0.0.1", "6.6.6.6|198.51.100.1, 10.1.1.1", "198.51.100.1"},
		{CHAIN, "10.0.0.1", "198.51.100.1|10.1.1.1, 10.1.1.2|10.1.1.3", "198.51.100.1"},
		/* what is no address ends the walk: nobody left of it is believed */
		{CHAIN, "10.0.0.1", "6.6.6.6, x", "10.0.0.1"},
		{CHAIN, "10.0.0.1", "6.6.6.6, x, 10.1.1.1", "10.1.1.1"},
		{CHAIN, "10.0.0.1", "6.6.6.6|x|10.1.1.1", "10.1.1.1"},
		{CHAIN, "10.0.0.1", "", "10.0.0.1"},
		{CHAIN, "10.0.0.1", "6.6.6.6,", "10.0.0.1"},
		{CHAIN, "10.0.0.1", ",", "10.0.0.1"},
		{CHAIN, "10.0.0.1", "unknown", "10.0.0.1"},
		{CHAIN, "10.0.0.1", "6.6.6.6:80", "10.0.0.1"},
		{CHAIN, "10.0.0.1", "6.6.6.256", "10.0.0.1"},
		{CHAIN, "10.0.0.1", "6.6.6", "10.0.0.1"},
		{CHAIN, "10.0.0.1", "10.0.0.0/8", "10.0.0.1"},
		{CHAIN, "10.0.0.1", "unix", "10.0.0.1"},
		{CHAIN, "unix", "garbage", "unknown"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct client_ip ip = client_of(cases[i].trusted, cases[i].peer, cases[i].headers);
		char text[64];
		client_ip_format(&ip, text);
		ck_assert_msg(strcmp(text, cases[i].client) == 0, "%zu: %s, not %s", i, text,
			      cases[i].client);
	}
}
END_TEST

START_TEST(a_hundred_forged_hops_change_nothing)
{
	char list[4096];
	size_t len = 0;

	for (int i = 0; i < 100; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "6.6.6.%d, ", i);
	snprintf(list + len, sizeof(list) - len, "198.51.100.1, 10.0.0.9");
	struct client_ip ip = client_of(CHAIN, "10.0.0.1", list);
	char text[64];
	client_ip_format(&ip, text);
	ck_assert_str_eq(text, "198.51.100.1");
}
END_TEST

RUN_TESTS("forwarded", the_client_is_the_first_from_the_right_whom_no_trusted_proxy_is,
	  a_hundred_forged_hops_change_nothing)
