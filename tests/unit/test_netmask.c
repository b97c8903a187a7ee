/* test_netmask: whose X-Forwarded-For is believed. */
#include "common/netmask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "tests/unit/run.h"

/* A peer as the kernel would give it: "unix", IPv4, or IPv6 (also IPv4 mapped). */
static const struct sockaddr *peer(const char *text, struct sockaddr_storage *room)
{
	struct sockaddr_in *in = (struct sockaddr_in *)room;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)room;

	memset(room, 0, sizeof(*room));
	if (strcmp(text, "unix") == 0) {
		room->ss_family = AF_UNIX;
	} else if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
	} else {
		ck_assert_int_eq(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
	}
	return (const struct sockaddr *)room;
}

START_TEST(a_mask_matches_its_own_and_nobody_else)
{
	static const struct {
		const char *mask, *peer;
		bool match;
	} cases[] = {
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "::ffff:127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"127.0.0.1", "::1", false},
		{"127.0.0.1", "unix", false},
		{"::1", "::1", true},
		{"::1", "127.0.0.1", false},
		{"::ffff:127.0.0.1", "127.0.0.1", true},
		{"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.0.0.0/8", "9.255.255.255", false},
		{"192.168.1.128/25", "192.168.1.128", true},
		{"192.168.1.128/25", "192.168.1.255", true},
		{"192.168.1.128/25", "192.168.1.127", false},
		{"192.168.1.128/25", "::ffff:192.168.1.200", true},
		{"10.0.0.6/31", "10.0.0.7", true},
		{"10.0.0.6/31", "10.0.0.8", false},
		{"0.0.0.0/0", "8.8.8.8", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "8.8.8.8", true},
		{"::/0", "unix", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"fe80::/10", "febf::1", true},
		{"fe80::/10", "fec0::1", false},
		{"unix", "unix", true},
		{"unix", "127.0.0.1", false},
		{"unix", "::", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sockaddr_storage room;
		struct netmask m;

		ck_assert_msg(netmask_parse(cases[i].mask, strlen(cases[i].mask), &m) == 0, "%s",
			      cases[i].mask);
		ck_assert_msg(netmask_match(&m, peer(cases[i].peer, &room)) == cases[i].match,
			      "%s and %s", cases[i].mask, cases[i].peer);
	}
}
END_TEST

START_TEST(what_is_no_mask_is_refused_and_leaves_out_alone)
{
	static const char *const cases[] = {
		"",          "unix/1",       "UNIX",        "10.0.0.1/8", "10.0.0.0/33",
		"10.0.0.0/", "10.0.0.0/x",   "10.0.0.0/-1", "10.0.0",     "10.0.0.0 /8",
		"::1/129",   "::1/64",       "::/",         "fe80::1%lo", "[::1]",
		"010.0.0.1", "1.2.3.4.5",    "example.org", "/8",         "*",
		"::ffff/",   "10.0.0.0/8/8",
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct netmask m = {.prefix = 4711};

		ck_assert_msg(netmask_parse(cases[i], strlen(cases[i]), &m) == -EINVAL, "%s",
			      cases[i]);
		ck_assert_uint_eq(m.prefix, 4711);
	}
}
END_TEST

START_TEST(both_families_give_the_same_sixteen_bytes)
{
	uint8_t a[16], b[16];

	ck_assert_int_eq(netmask_parse_address("1.2.3.4", 7, a), 0);
	ck_assert_int_eq(netmask_parse_address("::ffff:102:304", 14, b), 0);
	ck_assert_mem_eq(a, b, 16);
	ck_assert_int_eq(netmask_parse_address("1.2.3.45", 7, b), 0);
	ck_assert_mem_eq(a, b, 16);
	ck_assert_int_eq(netmask_parse_address("1.2.3.4\0", 8, a), -EINVAL);
	ck_assert_int_eq(netmask_parse_address("unix", 4, a), -EINVAL);
}
END_TEST

RUN_TESTS("netmask", a_mask_matches_its_own_and_nobody_else,
	  what_is_no_mask_is_refused_and_leaves_out_alone,
	  both_families_give_the_same_sixteen_bytes)
