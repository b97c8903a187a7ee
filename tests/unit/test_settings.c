/* test_settings: the table of settings against what was promised for it, and the values that each
 * takes. */
#include "common/settings.h"

#include "common/log.h"
#include "tests/unit/settings_tools.h"

/* The promise, written down a second time on purpose: a changed default or range breaks
 * installations. */
static const struct {
	const char *name, *initial;
	const char *takes[6], *refuses[8];
} promised[] = {
	{"redis_url",
	 "redis://localhost:6379/0",
	 {"unix:/r?db=1", "rediss://h", "redis://a,b", "redis+sentinel://h/m",
	  "rediss+sentinel://h/m"},
	 {"", "h", "redis://"}},
	{"redis_password_file", "", {"", "/run/secrets/redis"}, {"a\x01"}},
	{"redis_timeout_ms", "1000", {"50", "60000"}, {"49", "60001", "", "1s"}},
	{"redis_tls_ca", "system", {"/etc/ssl/ca.pem"}, {"a\x01", ""}},
	{"redis_tls_verify", "yes", {"no", "YES", "No"}, {"", "true", "1"}},
	{"topic_prefix", "", {"", "prod", "my-app:", "a.b/c"}, {"a b", "a,b", "a{b}", "\xc3\xa9"}},
	{"partitions", "16", {"1", "1024"}, {"0", "1025", "auto"}},
	{"max_message_size", "65536", {"1024", "1048576"}, {"1023", "1048577", "64k"}},
	{"max_body_size", "1048576", {"1024", "67108864"}, {"1023", "67108865"}},
	{"history_size", "100", {"0", "100000"}, {"100001", "-1"}},
	{"history_seconds", "300", {"1", "2592000"}, {"0", "2592001"}},
	{"publish_auth",
	 "",
	 {"token", "remote_user", "none", "NONE"},
	 {"", "remote-user", "basic"}},
	{"publish_tokens_file", "", {"", "/etc/tidings/tokens"}, {"a\x7f"}},
	{"publish_wait_replicas", "0", {"10"}, {"11"}},
	{"rate_limit_per_second", "0", {"1000000"}, {"1000001"}},
	{"listen",
	 "127.0.0.1:8081",
	 {"[::1]:1, unix:/s , *:80", "localhost:0"},
	 {"", ",", "h:1", "127.0.0.1", "*:80, x"}},
	{"admin_listen", "127.0.0.1:8082", {"same", "unix:/a", "[::]:1"}, {"", "a:1", "*:1, *:2"}},
	{"sse_path",
	 "/events",
	 {"/", "/a/b", "/healthy", "/metricsx"},
	 {"", "events", "/a?b", "/a#b", "/a b", "/health", "/health/x", "/metrics"}},
	{"workers", "auto", {"1", "64", "AUTO"}, {"0", "65", "", "automatic"}},
	{"max_connections", "100000", {"1", "10000000"}, {"0", "10000001"}},
	{"max_connections_per_ip", "0", {"1", "10000000"}, {"10000001"}},
	{"max_topics", "64", {"1", "1024"}, {"0", "1025"}},
	{"max_queue_size", "100", {"10", "1000"}, {"9", "1001"}},
	{"max_queue_bytes", "1048576", {"65536"}, {"65535", "1073741825"}},
	{"slow_client", "resume", {"conflate", "drop", "Drop"}, {"", "close"}},
	{"spread_ms", "0", {"60000"}, {"60001"}},
	{"heartbeat_seconds", "15", {"5", "60"}, {"4", "61"}},
	{"heartbeat", "comment", {"event"}, {"ping", ""}},
	{"retry_ms", "3000", {"100", "600000"}, {"99", "600001"}},
	{"auth",
	 "",
	 {"url", "public", "Public", "ticket", "url,ticket", "Ticket , URL"},
	 {"", ",", "none", "url ticket", "url,none"}},
	{"auth_url",
	 "",
	 {"", "http://h", "https://h:1/a?b={topic}", "unix:/s:/auth", "http://[::1]/{topic}/x"},
	 {"h", "ftp://h", "http://", "http://{topic}/", "unix:/s", "http://h/{user}",
	  "http://h/a b", "unix:s:/a"}},
	{"auth_mode", "topic", {"batch"}, {"", "all"}},
	{"auth_timeout_ms", "3000", {"50", "60000"}, {"49", "60001"}},
	{"auth_max_inflight", "64", {"1", "10000"}, {"0", "10001"}},
	{"auth_max_waiting", "10000", {"0", "10000000"}, {"10000001"}},
	{"auth_recheck_seconds", "0", {"0", "5", "86400"}, {"4", "1", "86401"}},
	{"auth_forward_headers",
	 "Authorization, Cookie, Origin, User-Agent, Accept-Language, X-Request-Id",
	 {"", "X-A,,X-B", "x_y"},
	 {"a b", "a:", "Host", "content-length", "X-A, Transfer-Encoding", "X-SSE-Topic"}},
	{"ticket_keys_file", "", {"", "/etc/tidings/ticket-keys"}, {"a\x7f"}},
	{"ticket_cookie", "", {"", "ticket", "__Host-t"}, {"a b", "a=b", "a;"}},
	{"ticket_renew_url",
	 "",
	 {"", "/ticket.php", "https://a.example/t?x=1"},
	 {"ticket.php", "//evil/x", "ftp://h/", "/a b", "/a#b", "http://"}},
	{"cors_origins",
	 "",
	 {"", "*", "https://a.example", "http://localhost:3000,https://b", "http://[::1]:8080"},
	 {"https://a.example/", "a.example", "https://", "https://A.example", "https://a:0",
	  "https://a:x", "null", "https://*.a"}},
	{"trusted_proxies", "127.0.0.1, ::1, unix", {"", "10.0.0.0/8"}, {"10.0.0.1/8", "h", "*"}},
	{"drain_seconds", "10", {"0", "3600"}, {"3601"}},
	{"user", "", {"", "www-data", "a:b"}, {"a\x1b"}},
	{"stats_file", "", {"", "/run/x"}, {"a\x1b"}},
	{"log_level",
	 "info",
	 {"error", "WARN", "warning", "Critical", "debug"},
	 {"", "notice", "5"}},
	{"log_format", "text", {"json", "JSON"}, {"", "xml"}},
	{"log_target", "stderr", {"syslog"}, {"", "stdout", "/var/log/x"}},
};

START_TEST(names_and_defaults_are_the_promised_ones_in_this_order)
{
	struct settings *s = fresh();

	ck_assert_uint_eq(COUNT_OF(promised), SET_COUNT);
	for (enum setting i = 0; i < SET_COUNT; i++) {
		ck_assert_str_eq(settings_name(i), promised[i].name);
		ck_assert_str_eq(settings_default(i), promised[i].initial);
		ck_assert_str_eq(settings_text(s, i), promised[i].initial);
		ck_assert_str_eq(settings_origin(s, i),
				 i == SET_AUTH || i == SET_PUBLISH_AUTH ? "not set" : "default");
	}
	settings_free(s);
}
END_TEST

static void set(struct settings *s, enum setting name, const char *value, int expected)
{
	char assignment[512], error[SETTINGS_ERROR_BYTES] = "";

	snprintf(assignment, sizeof(assignment), "%s=%s", settings_name(name), value);
	ck_assert_msg(settings_set(s, assignment, error) == expected, "%s: %s", assignment, error);
	if (expected < 0) {
		ck_assert_msg(strncmp(error, settings_name(name), strlen(settings_name(name))) == 0,
			      "%s", error);
		ck_assert_ptr_nonnull(strstr(error, "(--set)"));
		ck_assert_ptr_nonnull(strstr(error, settings_allowed(name)));
		ck_assert_ptr_null(strchr(error, '\n'));
	}
}

START_TEST(each_setting_takes_its_values_and_refuses_others)
{
	for (enum setting i = 0; i < SET_COUNT; i++) {
		struct settings *s = fresh();

		for (size_t k = 0; k < COUNT_OF(promised[i].takes) && promised[i].takes[k]; k++) {
			const char *value = promised[i].takes[k];

			set(s, i, value, 0);
			ck_assert_str_eq(settings_text(s, i), value);
			ck_assert_str_eq(settings_origin(s, i), "--set");
		}
		char *before = strdup(settings_text(s, i));
		for (size_t k = 0; k < COUNT_OF(promised[i].refuses) && promised[i].refuses[k]; k++)
			set(s, i, promised[i].refuses[k], -1);
		ck_assert_str_eq(settings_text(s, i), before);
		free(before);
		settings_free(s);
	}
}
END_TEST

START_TEST(values_arrive_as_their_types)
{
	struct settings *s = fresh();

	ck_assert_uint_eq(settings_number(s, SET_MAX_BODY_SIZE), 1048576);
	ck_assert(settings_is_auto(s, SET_WORKERS));
	ck_assert_uint_eq(settings_word(s, SET_REDIS_TLS_VERIFY), WORD_YES);
	ck_assert_uint_eq(settings_word(s, SET_LOG_LEVEL), LOG_LEVEL_INFO);
	set(s, SET_WORKERS, " 007 ", 0);
	ck_assert(!settings_is_auto(s, SET_WORKERS));
	ck_assert_uint_eq(settings_number(s, SET_WORKERS), 7);
	set(s, SET_AUTH_RECHECK_SECONDS, "60", 0);
	set(s, SET_AUTH_RECHECK_SECONDS, "0", 0);
	ck_assert_uint_eq(settings_number(s, SET_AUTH_RECHECK_SECONDS), 0);
	set(s, SET_LOG_LEVEL, "Warning", 0);
	ck_assert_uint_eq(settings_word(s, SET_LOG_LEVEL), LOG_LEVEL_WARN);
	set(s, SET_LOG_LEVEL, "CRITICAL", 0);
	ck_assert_uint_eq(settings_word(s, SET_LOG_LEVEL), LOG_LEVEL_ERROR);
	set(s, SET_LOG_FORMAT, "json", 0);
	ck_assert_uint_eq(settings_word(s, SET_LOG_FORMAT), LOG_FORMAT_JSON);
	set(s, SET_PUBLISH_AUTH, "remote_user", 0);
	ck_assert_uint_eq(settings_word(s, SET_PUBLISH_AUTH), PUBLISH_AUTH_REMOTE_USER);
	set(s, SET_AUTH, "public", 0);
	ck_assert_uint_eq(settings_words(s, SET_AUTH), AUTH_PUBLIC);
	set(s, SET_AUTH, "ticket, URL, url", 0);
	ck_assert_uint_eq(settings_words(s, SET_AUTH), AUTH_URL | AUTH_TICKET);
	set(s, SET_HEARTBEAT, "event", 0);
	ck_assert_uint_eq(settings_word(s, SET_HEARTBEAT), HEARTBEAT_EVENT);
	settings_free(s);
}
END_TEST

START_TEST(lists_are_trimmed_and_empties_dropped)
{
	struct settings *s = fresh();
	char item[32];

	set(s, SET_CORS_ORIGINS, ", http://a ,,\thttps://b:1,", 0);
	ck_assert_uint_eq(settings_list_count(s, SET_CORS_ORIGINS), 2);
	ck_assert_int_eq(settings_list_item(s, SET_CORS_ORIGINS, 0, item, sizeof(item)), 8);
	ck_assert_str_eq(item, "http://a");
	ck_assert_int_eq(settings_list_item(s, SET_CORS_ORIGINS, 1, item, sizeof(item)), 11);
	ck_assert_str_eq(item, "https://b:1");
	ck_assert_int_eq(settings_list_item(s, SET_CORS_ORIGINS, 2, item, sizeof(item)), -1);
	ck_assert_int_eq(settings_list_item(s, SET_CORS_ORIGINS, 1, item, 11), -1);
	ck_assert_int_eq(settings_list_item(s, SET_CORS_ORIGINS, 1, item, 12), 11);
	set(s, SET_CORS_ORIGINS, "", 0);
	ck_assert_uint_eq(settings_list_count(s, SET_CORS_ORIGINS), 0);
	settings_free(s);
}
END_TEST

START_TEST(passwords_are_masked_wherever_values_are_shown)
{
	struct settings *s = fresh();
	char error[SETTINGS_ERROR_BYTES], text[16384];

	set(s, SET_REDIS_URL, "redis://ann:geheim@h/0", 0);
	set(s, SET_AUTH_URL, "http://ann:geheim@h/auth", 0);
	ck_assert_ptr_null(strstr(printed(s, text), "geheim"));
	ck_assert_ptr_nonnull(strstr(text, "redis_url = redis://ann:***@h/0  # --set\n"));
	ck_assert_str_eq(settings_text(s, SET_REDIS_URL), "redis://ann:geheim@h/0");

	static const char *const wrong[] = {
		"redis_url=redis://:geheim@h:0",
		"redis_url=geheim@h",
		"redis_url=redis://h/0?auth=geheim",
		"auth_url=ftp://a:geheim@h/x",
		"listen=redis://:geheim@h",
		"redis_url=redis://:geheim@h\x01",
		"redis_url=redis+sentinel://:geheim@",
		"redis_url=redis://:ge/geheim@h",
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		ck_assert_int_eq(settings_set(s, wrong[i], error), -1);
		ck_assert_msg(strstr(error, "geheim") == NULL, "%s", error);
	}
	settings_free(s);
}
END_TEST

START_TEST(print_config_shows_every_value_and_its_origin)
{
	struct settings *s = fresh();
	char text[16384];
	size_t lines = 0;

	set(s, SET_TOPIC_PREFIX, "app", 0);
	printed(s, text);
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	ck_assert_uint_eq(lines, SET_COUNT);
	ck_assert_ptr_nonnull(strstr(text, "\ntopic_prefix = app  # --set\n"));
	ck_assert_ptr_nonnull(strstr(text, "\npublish_auth = # not set\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nstats_file = # default\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nworkers = auto  # default\n"));
	settings_free(s);
}
END_TEST

START_TEST(a_program_demands_its_own_must_set_settings_only)
{
	struct settings *s = fresh();
	char error[SETTINGS_ERROR_BYTES];

	ck_assert_int_eq(settings_check(s, SETTINGS_PUBLISH, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "publish_auth must be set"));
	ck_assert_ptr_nonnull(strstr(error, "SSE_PUBLISH_AUTH"));
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "auth must be set"));
	ck_assert_ptr_nonnull(strstr(error, "SSE_AUTH "));

	set(s, SET_PUBLISH_AUTH, "none", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_PUBLISH, error), 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), -1);
	set(s, SET_AUTH, "public", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), 0);
	settings_free(s);
}
END_TEST

START_TEST(a_setting_that_needs_a_companion_names_it)
{
	struct settings *s = fresh();
	char error[SETTINGS_ERROR_BYTES];

	set(s, SET_PUBLISH_AUTH, "token", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_PUBLISH, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "publish_tokens_file"));
	set(s, SET_PUBLISH_TOKENS_FILE, "/etc/tokens", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_PUBLISH, error), 0);
	set(s, SET_AUTH, "url", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "auth_url"));
	set(s, SET_AUTH_URL, "unix:/s:/", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), 0);
	set(s, SET_AUTH_URL, "unix:/s:/{topic}", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), 0);
	set(s, SET_AUTH_MODE, "batch", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "{topic}"));
	set(s, SET_AUTH_URL, "unix:/s:/", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), 0);
	set(s, SET_AUTH, "url,ticket", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "ticket_keys_file"));
	set(s, SET_TICKET_KEYS_FILE, "/etc/keys", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), 0);
	set(s, SET_AUTH, "public,ticket", 0);
	ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "public stands alone"));
	settings_free(s);
}
END_TEST

START_TEST(what_is_not_built_yet_is_refused_in_both_programs)
{
	static const char *const cases[] = {
		"user=www-data",
		"stats_file=/run/stats",
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct settings *s = fresh();
		char error[SETTINGS_ERROR_BYTES];

		set(s, SET_PUBLISH_AUTH, "none", 0);
		set(s, SET_AUTH, "public", 0);
		ck_assert_int_eq(settings_set(s, cases[i], error), 0);
		for (int program = SETTINGS_PUBLISH; program <= SETTINGS_STREAMER; program++) {
			ck_assert_int_eq(settings_check(s, program, error), -1);
			ck_assert_msg(strstr(error, "not available yet") != NULL, "%s", error);
			ck_assert_int_eq(strncmp(error, cases[i], strcspn(cases[i], "=")), 0);
			ck_assert_ptr_nonnull(strstr(error, "(--set)"));
		}
		settings_free(s);
	}
}
END_TEST

START_TEST(what_works_today_may_be_said_out_loud)
{
	static const char *const cases[] = {
		"workers=64",
		"workers=AUTO",
		"slow_client=Resume",
		"auth_mode=Batch",
		"auth_recheck_seconds=60",
		"redis_tls_ca=/etc/ca.pem",
		"redis_tls_verify=No",
		"partitions=8",
		"rate_limit_per_second=5",
		"redis_url=redis://a,b",
		"redis_url=redis+sentinel://h/m",
		"redis_url=rediss://h",
		"redis_url=rediss+sentinel://h/m",
		"publish_wait_replicas=1",
		"stats_file=",
		"cors_origins=*",
	};
	struct settings *s = fresh();
	char error[SETTINGS_ERROR_BYTES];

	set(s, SET_AUTH, "public", 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_msg(settings_set(s, cases[i], error) == 0, "%s", error);
	ck_assert_msg(settings_check(s, SETTINGS_STREAMER, error) == 0, "%s", error);
	settings_free(s);
}
END_TEST

START_TEST(the_star_of_cors_origins_stands_alone)
{
	static const char *const cases[] = {"*, https://a", "https://a, *"};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct settings *s = fresh();
		char error[SETTINGS_ERROR_BYTES];

		set(s, SET_AUTH, "public", 0);
		set(s, SET_CORS_ORIGINS, cases[i], 0);
		ck_assert_int_eq(settings_check(s, SETTINGS_STREAMER, error), -1);
		ck_assert_ptr_nonnull(strstr(error, "cors_origins"));
		settings_free(s);
	}
}
END_TEST

RUN_TESTS("settings", names_and_defaults_are_the_promised_ones_in_this_order,
	  each_setting_takes_its_values_and_refuses_others, values_arrive_as_their_types,
	  lists_are_trimmed_and_empties_dropped, passwords_are_masked_wherever_values_are_shown,
	  print_config_shows_every_value_and_its_origin,
	  a_program_demands_its_own_must_set_settings_only,
	  a_setting_that_needs_a_companion_names_it,
	  what_is_not_built_yet_is_refused_in_both_programs, what_works_today_may_be_said_out_loud,
	  the_star_of_cors_origins_stands_alone)
