/* test_cluster_map: what nodes of a Cluster and sentinels say, and what they would not. */
#include "common/cluster_map.h"

#include <errno.h>
#include <string.h>

#include "common/sentinel_reply.h"
#include "tests/unit/redis_reply.h"

#define RANGE(from, to, host, port)                                                                \
	"*3\r\n:" #from "\r\n:" #to "\r\n*4\r\n" host ":" #port "\r\n$2\r\nid\r\n*0\r\n"
#define HOST(len, text) "$" #len "\r\n" text "\r\n"

static const char *owner(const struct cluster_map *m, unsigned slot)
{
	static char text[REDIS_ADDRESS_BYTES];
	const struct redis_address *node = cluster_map_owner(m, slot);

	return node ? redis_address_format(node, text) : "nobody";
}

START_TEST(each_slot_belongs_to_the_first_node_of_its_range)
{
	redisReply *reply = REPLY("*3\r\n*4\r\n:0\r\n:99\r\n*3\r\n" HOST(
		9, "127.0.0.1") ":7000\r\n$1\r\na\r\n"
				"*3\r\n" HOST(9, "127.0.0.1") ":7009\r\n$1\r\nb\r\n" RANGE(
					200, 16383, HOST(5, "node2"), 7001)
					  RANGE(150, 150, HOST(9, "127.0.0.1"), 7000));
	struct cluster_map m;

	ck_assert_int_eq(cluster_map_read(reply, "asked", &m), 0);
	ck_assert_uint_eq(m.n_nodes, 2);
	ck_assert_str_eq(owner(&m, 0), "127.0.0.1:7000");
	ck_assert_str_eq(owner(&m, 99), "127.0.0.1:7000");
	ck_assert_str_eq(owner(&m, 100), "nobody");
	ck_assert_str_eq(owner(&m, 150), "127.0.0.1:7000");
	ck_assert_str_eq(owner(&m, 16383), "node2:7001");
	ck_assert_str_eq(owner(&m, 16384), "nobody");
	cluster_map_done(&m);
	freeReplyObject(reply);
}
END_TEST

START_TEST(a_host_that_is_left_open_is_the_one_that_was_asked)
{
	redisReply *reply = REPLY("*4\r\n" RANGE(0, 0, "$-1\r\n", 1) RANGE(
		1, 1, HOST(0, ""), 2) RANGE(2, 2, HOST(1, "?"), 3) RANGE(3, 3, HOST(1, "h"), 0));
	struct cluster_map m;

	ck_assert_int_eq(cluster_map_read(reply, "asked", &m), 0);
	ck_assert_str_eq(owner(&m, 0), "asked:1");
	ck_assert_str_eq(owner(&m, 1), "asked:2");
	ck_assert_str_eq(owner(&m, 2), "nobody");
	ck_assert_str_eq(owner(&m, 3), "nobody");
	cluster_map_done(&m);
	freeReplyObject(reply);
}
END_TEST

START_TEST(a_cluster_without_slots_has_no_owners)
{
	redisReply *reply = REPLY("*0\r\n");
	struct cluster_map m;

	ck_assert_int_eq(cluster_map_read(reply, "asked", &m), 0);
	ck_assert_str_eq(owner(&m, 5), "nobody");
	cluster_map_done(&m);
	freeReplyObject(reply);
}
END_TEST

START_TEST(what_is_no_map_is_refused)
{
	static const char *const cases[] = {
		"+OK\r\n",
		"$-1\r\n",
		"*-1\r\n",
		":5\r\n",
		"-ERR This instance has cluster support disabled\r\n",
		"*1\r\n:1\r\n",
		"*1\r\n*2\r\n:0\r\n:1\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n:2\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*0\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\nh\r\n",
		"*1\r\n*3\r\n$1\r\n0\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
		"*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
		"*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nh\r\n:1\r\n",
		"*1\r\n*3\r\n:9\r\n:1\r\n*2\r\n$1\r\nh\r\n:1\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:65536\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:-1\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n$1\r\n1\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n:7\r\n:1\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$3\r\na b\r\n:1\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$2\r\na\n\r\n:1\r\n",
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		redisReply *reply = redis_reply(cases[i], strlen(cases[i]));
		struct cluster_map m;

		ck_assert_msg(cluster_map_read(reply, "asked", &m) == -EPROTO, "%s", cases[i]);
		freeReplyObject(reply);
	}
}
END_TEST

START_TEST(a_host_as_long_as_none_and_a_flood_of_nodes_are_refused)
{
	static char text[16385 * 48];
	size_t len = (size_t)snprintf(text, sizeof(text), "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$256\r\n");
	struct cluster_map m;
	redisReply *reply;

	memset(text + len, 'h', 256);
	len += 256;
	len += (size_t)snprintf(text + len, sizeof(text) - len, "\r\n:1\r\n");
	reply = redis_reply(text, len);
	ck_assert_int_eq(cluster_map_read(reply, "asked", &m), -EPROTO);
	freeReplyObject(reply);

	for (int n = CLUSTER_MAX_NODES; n <= CLUSTER_MAX_NODES + 1; n++) {
		len = (size_t)snprintf(text, sizeof(text), "*%d\r\n", n);
		for (int i = 0; i < n; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"*3\r\n:%d\r\n:%d\r\n*2\r\n$1\r\nh\r\n:%d\r\n", i,
						i, i + 1);
		reply = redis_reply(text, len);
		ck_assert_int_eq(cluster_map_read(reply, "asked", &m),
				 n > CLUSTER_MAX_NODES ? -EPROTO : 0);
		if (n <= CLUSTER_MAX_NODES)
			cluster_map_done(&m);
		freeReplyObject(reply);
	}

	len = (size_t)snprintf(text, sizeof(text), "*%d\r\n", REDIS_SLOTS + 1);
	for (int i = 0; i <= REDIS_SLOTS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"*3\r\n:0\r\n:0\r\n*2\r\n$1\r\nh\r\n:1\r\n");
	reply = redis_reply(text, len);
	ck_assert_int_eq(cluster_map_read(reply, "asked", &m), -EPROTO);
	freeReplyObject(reply);
}
END_TEST

START_TEST(redirections_are_read_and_nothing_else_is_taken_for_one)
{
	static const struct {
		const char *error, *read;
	} cases[] = {
		{"MOVED 3999 127.0.0.1:6381", "moved 3999 127.0.0.1:6381"},
		{"ASK 0 node-1.example:1", "ask 0 node-1.example:1"},
		{"MOVED 16383 ::1:7000", "moved 16383 ::1:7000"},
		{"MOVED 5 :6381", "moved 5 asked:6381"},
		{"MOVED 5 h:6381 and more", "moved 5 h:6381"},
		{"MOVED 16384 h:1", NULL},
		{"MOVED -1 h:1", NULL},
		{"MOVED 5 h:0", NULL},
		{"MOVED 5 h:65536", NULL},
		{"MOVED 5 h", NULL},
		{"MOVED 5 ?:7", NULL},
		{"MOVED 5", NULL},
		{"MOVED  5 h:1", NULL},
		{"MOVED", NULL},
		{"", NULL},
		{"moved 5 h:1", NULL},
		{"ASKING 5 h:1", NULL},
		{"TRYAGAIN Multiple keys request during rehashing of slot", NULL},
		{"CLUSTERDOWN Hash slot not served", NULL},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char said[400], name[REDIS_ADDRESS_BYTES];
		struct cluster_redirect r;
		int rc = cluster_redirect_read(cases[i].error, strlen(cases[i].error), "asked", &r);

		ck_assert_msg(rc == (cases[i].read ? 0 : -EINVAL), "%s", cases[i].error);
		if (rc < 0)
			continue;
		snprintf(said, sizeof(said), "%s %u %s", r.kind == CLUSTER_ASK ? "ask" : "moved",
			 r.slot, redis_address_format(&r.to, name));
		ck_assert_str_eq(said, cases[i].read);
	}
}
END_TEST

START_TEST(a_sentinel_names_the_master_or_does_not_know_it)
{
	static const struct {
		const char *text, *name;
		int rc;
	} cases[] = {
		{"*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n", "127.0.0.1:6379", 0},
		{"*2\r\n$3\r\n::1\r\n$5\r\n65535\r\n", "::1:65535", 0},
		{"*-1\r\n", NULL, -ENOENT},
		{"$-1\r\n", NULL, -ENOENT},
		{"*2\r\n$0\r\n\r\n$4\r\n6379\r\n", NULL, -EPROTO},
		{"*2\r\n$-1\r\n$4\r\n6379\r\n", NULL, -EPROTO},
		{"*2\r\n$1\r\nh\r\n:6379\r\n", NULL, -EPROTO},
		{"*2\r\n$1\r\nh\r\n$1\r\n0\r\n", NULL, -EPROTO},
		{"*2\r\n$1\r\nh\r\n$5\r\n65536\r\n", NULL, -EPROTO},
		{"*2\r\n$1\r\nh\r\n$2\r\n-1\r\n", NULL, -EPROTO},
		{"*2\r\n$3\r\na b\r\n$1\r\n1\r\n", NULL, -EPROTO},
		{"*1\r\n$1\r\nh\r\n", NULL, -EPROTO},
		{"*3\r\n$1\r\nh\r\n$1\r\n1\r\n$1\r\n1\r\n", NULL, -EPROTO},
		{"-IDONTKNOW I have not enough information\r\n", NULL, -EPROTO},
		{"+OK\r\n", NULL, -EPROTO},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		redisReply *reply = redis_reply(cases[i].text, strlen(cases[i].text));
		char name[REDIS_ADDRESS_BYTES];
		struct redis_address a;

		ck_assert_msg(sentinel_reply_read(reply, &a) == cases[i].rc, "%s", cases[i].text);
		if (cases[i].rc == 0)
			ck_assert_str_eq(redis_address_format(&a, name), cases[i].name);
		freeReplyObject(reply);
	}
}
END_TEST

START_TEST(only_a_master_is_one)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{"*3\r\n$6\r\nmaster\r\n:5\r\n*0\r\n", true},
		{"*1\r\n$6\r\nmaster\r\n", true},
		{"*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:5\r\n", false},
		{"*2\r\n$8\r\nsentinel\r\n*0\r\n", false},
		{"*0\r\n", false},
		{"$6\r\nmaster\r\n", false},
		{"-ERR unknown command\r\n", false},
		{"*1\r\n:5\r\n", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		redisReply *reply = redis_reply(cases[i].text, strlen(cases[i].text));

		ck_assert_msg(sentinel_reply_is_master(reply) == cases[i].is, "%s", cases[i].text);
		freeReplyObject(reply);
	}
}
END_TEST

RUN_TESTS("cluster_map", each_slot_belongs_to_the_first_node_of_its_range,
	  a_host_that_is_left_open_is_the_one_that_was_asked, a_cluster_without_slots_has_no_owners,
	  what_is_no_map_is_refused, a_host_as_long_as_none_and_a_flood_of_nodes_are_refused,
	  redirections_are_read_and_nothing_else_is_taken_for_one,
	  a_sentinel_names_the_master_or_does_not_know_it, only_a_master_is_one)
