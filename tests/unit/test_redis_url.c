/* test_redis_url: every form of redis_url, and that no password gets into a message. */
#include "common/redis_url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"

/* Everything that was read, in one line. */
static const char *describe(const struct redis_url *u, char *out, size_t size)
{
	static const char *const kinds[] = {"single", "cluster", "sentinel"};
	int n = snprintf(out, size, "%s%s", kinds[u->kind], u->tls ? " tls" : "");

	if (u->path)
		n += snprintf(out + n, size - (size_t)n, " path=%s", u->path);
	for (size_t i = 0; i < u->n_hosts; i++)
		n += snprintf(out + n, size - (size_t)n, " %s|%u", u->hosts[i].name,
			      u->hosts[i].port);
	if (u->user)
		n += snprintf(out + n, size - (size_t)n, " user=%s", u->user);
	if (u->password)
		n += snprintf(out + n, size - (size_t)n, " password=%s", u->password);
	if (u->master)
		n += snprintf(out + n, size - (size_t)n, " master=%s", u->master);
	snprintf(out + n, size - (size_t)n, " db=%u", u->db);
	return out;
}

START_TEST(every_form_is_read_in_full)
{
	static const struct {
		const char *text, *read;
	} cases[] = {
		{"redis://localhost:6379/0", "single localhost|6379 db=0"},
		{"redis://localhost", "single localhost|6379 db=0"},
		{"redis://localhost/", "single localhost|6379 db=0"},
		{"REDIS://h:1/7", "single h|1 db=7"},
		{"redis://10.0.0.1:65535/65535", "single 10.0.0.1|65535 db=65535"},
		{"redis://[::1]:7000/2", "single ::1|7000 db=2"},
		{"redis://[2001:db8::5]", "single 2001:db8::5|6379 db=0"},
		{"redis://my-redis_1.internal.", "single my-redis_1.internal.|6379 db=0"},
		{"redis://:secret@h", "single h|6379 password=secret db=0"},
		{"redis://ann:secret@h:1/3", "single h|1 user=ann password=secret db=3"},
		{"redis://ann:@h", "single h|6379 user=ann password= db=0"},
		{"redis://:@h", "single h|6379 db=0"},
		{"redis://a%40b:p%2Fq%25:r@h", "single h|6379 user=a@b password=p/q%:r db=0"},
		{"redis://:p@ss+w@h", "single h|6379 password=p@ss+w db=0"},
		{"rediss://:x@h", "single tls h|6379 password=x db=0"},
		{"unix:/run/redis.sock", "single path=/run/redis.sock db=0"},
		{"unix:/run/redis.sock?db=5", "single path=/run/redis.sock db=5"},
		{"unix:/tmp/a@b", "single path=/tmp/a@b db=0"},
		{"redis://a:7001,b:7002,c:7003/0", "cluster a|7001 b|7002 c|7003 db=0"},
		{"redis://u:p@a,[::1]:7002", "cluster a|6379 ::1|7002 user=u password=p db=0"},
		{"rediss://a,b", "cluster tls a|6379 b|6379 db=0"},
		{"redis+sentinel://h:26379,h2:26379/mymaster/0",
		 "sentinel h|26379 h2|26379 master=mymaster db=0"},
		{"redis+sentinel://h/my-master_1.x/4",
		 "sentinel h|26379 master=my-master_1.x db=4"},
		{"rediss+sentinel://:p@h,i:1/m/2",
		 "sentinel tls h|26379 i|1 password=p master=m db=2"},
		{"REDISS+Sentinel://h/m", "sentinel tls h|26379 master=m db=0"},
		{"redis+sentinel://:p@h/m", "sentinel h|26379 password=p master=m db=0"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct redis_url u;
		const char *why = "nothing";
		char text[512];

		ck_assert_msg(redis_url_parse(cases[i].text, &u, &why) == 0, "%s: %s",
			      cases[i].text, why);
		ck_assert_str_eq(describe(&u, text, sizeof(text)), cases[i].read);
		redis_url_done(&u);
	}
}
END_TEST

static const char *const bad[] = {
	"",
	"localhost:6379",
	"http://h",
	"redis:/h",
	"redis://",
	"redis:///0",
	"redis://:6379",
	"redis://h:",
	"redis://h:0",
	"redis://h:65536",
	"redis://h:6379x",
	"redis://h/x",
	"redis://h/65536",
	"redis://h/0/1",
	"redis://h/-1",
	"redis://h?db=1",
	"redis://h/0?password=secret",
	"redis://h#x",
	"redis://h ",
	"redis://h\n",
	"redis://h\x7f",
	"redis://h\xc3\xa9",
	"redis://secret@h",
	"redis://:secret/with/slash@h",
	"redis://:secret%@h",
	"redis://:secret%00@h",
	"redis://:secret@",
	"redis://[::1",
	"redis://[::1]x",
	"redis://[]",
	"redis://[h]:1",
	"redis://::1",
	"redis://a,,b",
	"redis://a,",
	"redis://,a",
	"redis://a,b/1",
	"redis://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
	"redis+sentinel://h",
	"rediss+sentinel://h",
	"redisss://h",
	"rediss",
	"redis+tls://h/m",
	"redis+sentinel+tls://h/m",
	"redis+sentinel:h/m",
	"redis+sentinel://h/",
	"redis+sentinel://h//0",
	"redis+sentinel://h/m/x",
	"unix:",
	"unix:run",
	"unix://run/redis.sock",
	"unix:/run?",
	"unix:/run?db=",
	"unix:/run?db=x",
	"unix:/run?password=secret",
};

START_TEST(what_is_no_url_is_refused_without_repeating_it)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct redis_url u = {.db = 4711};
		const char *why = NULL;

		ck_assert_msg(redis_url_parse(bad[i], &u, &why) == -EINVAL, "%s", bad[i]);
		ck_assert_uint_eq(u.db, 4711);
		ck_assert_ptr_null(strstr(why, "secret"));
	}
}
END_TEST

START_TEST(every_prefix_is_a_url_or_is_refused)
{
	static const char *const good[] = {
		"redis+sentinel://us%41r:p%2Fw@[::1]:26379,h2:1/mymaster/12",
		"redis://u:p@a:7001,b:7002/0",
		"unix:/run/redis.sock?db=5",
		"rediss+sentinel://h/m",
	};

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		for (size_t len = 0; len <= strlen(good[i]); len++) {
			char *text = strndup(good[i], len);
			struct redis_url u;
			const char *why;

			ck_assert_ptr_nonnull(text);
			int rc = redis_url_parse(text, &u, &why);
			ck_assert(rc == 0 || rc == -EINVAL);
			if (rc == 0)
				redis_url_done(&u);
			else
				ck_assert_uint_lt(len, strlen(good[i]));
			free(text);
		}
	}
}
END_TEST

START_TEST(a_password_is_never_shown)
{
	static const struct {
		const char *text, *masked;
	} cases[] = {
		{"redis://h:1/0", "redis://h:1/0"},
		{"redis://:secret@h:1/0", "redis://:***@h:1/0"},
		{"redis://ann:secret@h", "redis://ann:***@h"},
		{"redis://ann:se:cr@et@h", "redis://ann:***@h"},
		{"redis://:@h", "redis://:@h"},
		{"redis+sentinel://a:secret@h,i/m/0", "redis+sentinel://a:***@h,i/m/0"},
		{"rediss://:secret@h", "rediss://:***@h"},
		{"rediss+sentinel://a:secret@h/m", "rediss+sentinel://a:***@h/m"},
		{"unix:/tmp/a@b?db=1", "unix:/tmp/a@b?db=1"},
		{"redis://:se/cret@h", "redis://***@h"},
		{"redis://secret@h", "redis://***@h"},
		{"redis://ann:secret@", "redis://***@"},
		{"redis://ann:secret@h:99999", "redis://***@h:99999"},
		{":secret@h", "***@h"},
		{"http://u:secret@h/x", "http://***@h/x"},
		{"redis://h/0?password=secret", "redis://h/0?***"},
		{"redis://h/0?password=sec@ret", "redis://***@ret"},
		{"unix:/run?password=secret", "unix:/run?***"},
		{"", ""},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *masked = redis_url_masked(cases[i].text);

		ck_assert_str_eq(masked, cases[i].masked);
		free(masked);
	}
}
END_TEST

RUN_TESTS("redis_url", every_form_is_read_in_full, what_is_no_url_is_refused_without_repeating_it,
	  every_prefix_is_a_url_or_is_refused, a_password_is_never_shown)
