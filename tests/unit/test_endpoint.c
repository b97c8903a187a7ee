/* test_endpoint: what may stand in `listen`, and how addresses are written back. */
#include "common/endpoint.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "tests/unit/run.h"

static const struct {
	const char *text;
	const char *back; /* NULL: refused */
} cases[] = {
	{"127.0.0.1:8081", "127.0.0.1:8081"},
	{"0.0.0.0:0", "0.0.0.0:0"},
	{"*:80", "0.0.0.0:80"},
	{"localhost:65535", "127.0.0.1:65535"},
	{"[::1]:8081", "[::1]:8081"},
	{"[::]:1", "[::]:1"},
	{"[2001:DB8::1]:8081", "[2001:db8::1]:8081"},
	{"unix:/run/tidings/sse.sock", "unix:/run/tidings/sse.sock"},
	{"unix:/a b:c", "unix:/a b:c"},
	{"", NULL},
	{"8081", NULL},
	{":8081", NULL},
	{"127.0.0.1", NULL},
	{"127.0.0.1:", NULL},
	{"127.0.0.1:65536", NULL},
	{"127.0.0.1:-1", NULL},
	{"127.0.0.1:80x", NULL},
	{"127.0.0.1: 80", NULL},
	{"127.1:80", NULL},
	{"256.0.0.1:80", NULL},
	{"example.org:80", NULL},
	{"::1:80", NULL},
	{"[::1]", NULL},
	{"[::1]80", NULL},
	{"[::1:80", NULL},
	{"[]:80", NULL},
	{"[:80", NULL},
	{"[127.0.0.1]:80", NULL},
	{"[::1%lo]:80", NULL},
	{"[*]:80", NULL},
	{"unix:", NULL},
	{"unix:run/sock", NULL},
	{"unix", NULL},
	{"/run/sock", NULL},
	{"1111111111111111111111111111111111111111111111111111111111111111:1", NULL},
};

START_TEST(every_form_of_listen_is_read_and_written_back)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct endpoint e = {.addr_len = 4711};
		const char *why = NULL;
		char back[200];
		int rc = endpoint_parse(cases[i].text, strlen(cases[i].text), &e, &why);

		ck_assert_msg(rc == (cases[i].back ? 0 : -EINVAL), "%s gave %d", cases[i].text, rc);
		if (rc < 0) {
			ck_assert_ptr_nonnull(why);
			ck_assert_uint_eq(e.addr_len, 4711);
			continue;
		}
		endpoint_format((struct sockaddr *)&e.addr, e.addr_len, back, sizeof(back));
		ck_assert_str_eq(back, cases[i].back);
	}
}
END_TEST

START_TEST(the_length_and_not_a_nul_ends_the_text)
{
	struct endpoint e;
	const char *why;

	ck_assert_int_eq(endpoint_parse("1.2.3.4:567", 9, &e, &why), 0);
	ck_assert_uint_eq(ntohs(((struct sockaddr_in *)&e.addr)->sin_port), 5);
	ck_assert_int_eq(endpoint_parse("1.2.3.4\0:5", 10, &e, &why), -EINVAL);
	ck_assert_int_eq(endpoint_parse("unix:/a\0b", 9, &e, &why), -EINVAL);
}
END_TEST

START_TEST(a_socket_path_fits_or_is_refused)
{
	char text[5 + sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	struct endpoint e;
	const char *why;

	memcpy(text, "unix:/", 6);
	memset(text + 6, 'x', sizeof(text) - 6);
	ck_assert_int_eq(endpoint_parse(text, 5 + longest, &e, &why), 0);
	ck_assert_uint_eq(strlen(((struct sockaddr_un *)&e.addr)->sun_path), longest);
	ck_assert_int_eq(endpoint_parse(text, 5 + longest + 1, &e, &why), -EINVAL);
}
END_TEST

START_TEST(peers_without_a_name_and_short_room_are_written_safely)
{
	struct sockaddr_un nobody = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(12345)};
	char out[8];

	endpoint_format((struct sockaddr *)&nobody, sizeof(sa_family_t), out, sizeof(out));
	ck_assert_str_eq(out, "unix:");
	endpoint_format((struct sockaddr *)&in, sizeof(in), out, sizeof(out));
	ck_assert_str_eq(out, "0.0.0.0");
}
END_TEST

START_TEST(places_clash_only_where_one_of_them_could_not_be_opened)
{
	static const struct {
		const char *a, *b;
		bool clash;
	} pairs[] = {
		{"127.0.0.1:80", "127.0.0.1:80", true},
		{"localhost:80", "127.0.0.1:80", true},
		{"127.0.0.1:80", "127.0.0.1:81", false},
		{"127.0.0.1:80", "127.0.0.2:80", false},
		{"*:80", "127.0.0.2:80", true},
		{"*:80", "*:81", false},
		{"127.0.0.1:0", "127.0.0.1:0", false},
		{"[::1]:80", "[::1]:80", true},
		{"[::]:80", "[::1]:80", true},
		{"[::1]:80", "[::2]:80", false},
		{"[::]:80", "*:80", false}, /* the streamer's IPv6 sockets take no IPv4 */
		{"unix:/a", "unix:/a", true},
		{"unix:/a", "unix:/ab", false},
		{"unix:/a", "127.0.0.1:80", false},
	};

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct endpoint a, b;
		const char *why;

		ck_assert_int_eq(endpoint_parse(pairs[i].a, strlen(pairs[i].a), &a, &why), 0);
		ck_assert_int_eq(endpoint_parse(pairs[i].b, strlen(pairs[i].b), &b, &why), 0);
		ck_assert_msg(endpoint_clash(&a, &b) == pairs[i].clash, "%s %s", pairs[i].a,
			      pairs[i].b);
		ck_assert_msg(endpoint_clash(&b, &a) == pairs[i].clash, "%s %s", pairs[i].b,
			      pairs[i].a);
	}
}
END_TEST

RUN_TESTS("endpoint", places_clash_only_where_one_of_them_could_not_be_opened,
	  every_form_of_listen_is_read_and_written_back, the_length_and_not_a_nul_ends_the_text,
	  a_socket_path_fits_or_is_refused, peers_without_a_name_and_short_room_are_written_safely)
