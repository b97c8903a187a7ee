/* test_settings_read: file, environment and --set; which of them wins, and what an error line says.
 */
#include "tests/unit/settings_tools.h"

struct file_case {
	const char *text;
	const char *name, *value; /* what has come of it; or */
	const char *error;        /* what the error line holds */
};

static const struct file_case cases[] = {
	{"retry_ms = 500\n", "retry_ms", "500", NULL},
	{"retry_ms=500", "retry_ms", "500", NULL},
	{" \tretry_ms \t=\t 500 \t\n", "retry_ms", "500", NULL},
	{"# retry_ms = 500\n", "retry_ms", "3000", NULL},
	{"  # comment\n\n\nretry_ms = 500", "retry_ms", "500", NULL},
	{"retry_ms = 500\r\nmax_topics = 5\r\n", "max_topics", "5", NULL},
	{"\xef\xbb\xbfretry_ms = 500\n", "retry_ms", "500", NULL},
	{"", "retry_ms", "3000", NULL},
	{"\n\r\n  \n", "retry_ms", "3000", NULL},
	{"auth_url = http://h/?a=b ; c\n", NULL, NULL, "it holds a blank"},
	{"auth_url = http://h/?a=b;c=d\n", "auth_url", "http://h/?a=b;c=d", NULL},
	{"stats_file = /a # b\n", "stats_file", "/a # b", NULL},
	{"topic_prefix =\n", "topic_prefix", "", NULL},
	{"topic_prefix = \"a\"\n", NULL, NULL, ":1): it holds a character"},
	{"retry_ms = 500\nretry_ms = 500\n", NULL, NULL, ":2): it stands in line 1 already"},
	{"\n\n[streamer]\n", NULL, NULL, ":3: sections"},
	{"retry_ms 500\n", NULL, NULL, ":1: the = is missing"},
	{"geheim\n", NULL, NULL, ":1: the = is missing"},
	{"=5\n", NULL, NULL, "\"\" ("},
	{"retry = 500\n", NULL, NULL, "\"retry\" ("},
	{"Retry_ms = 500\n", NULL, NULL, "there is no setting of this name"},
	{"sse_retry_ms = 500\n", NULL, NULL, "there is no setting of this name"},
	{"#\nretry_ms = 5\n", NULL, NULL, ":2): allowed is 100..600000"},
	{"retry_ms = 5 # short\n", NULL, NULL, "retry_ms = \"5 # short\" ("},
	{"retry_ms = 500\n\xef\xbb\xbfmax_topics = 5\n", NULL, NULL, "\xef\xbb\xbfmax_topics"},
	{"retry_ms = 500\rmax_topics = 5\n", NULL, NULL, "retry_ms = \"500\\rmax_topics = 5\""},
};

START_TEST(every_line_of_a_file_is_taken_or_named)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct settings *s = fresh();
		char path[32], error[SETTINGS_ERROR_BYTES] = "";

		write_file(path, cases[i].text, strlen(cases[i].text));
		int rc = settings_read_file(s, path, error);
		unlink(path);
		if (cases[i].error) {
			ck_assert_msg(rc == -1, "%s", cases[i].text);
			ck_assert_msg(strstr(error, cases[i].error) != NULL, "%s", error);
			ck_assert_ptr_nonnull(strstr(error, path));
			ck_assert_ptr_null(strchr(error, '\n'));
			ck_assert_ptr_null(strstr(error, "geheim"));
		} else {
			ck_assert_msg(rc == 0, "%s: %s", cases[i].text, error);
			ck_assert_str_eq(settings_text(s, setting_named(cases[i].name)),
					 cases[i].value);
		}
		settings_free(s);
	}
}
END_TEST

START_TEST(a_nul_in_a_file_hides_nothing)
{
	static const char text[] = "topic_prefix = a\0b\n", name[] = "retry_ms\0 = 500\n";
	char path[32], error[SETTINGS_ERROR_BYTES];
	struct settings *s = fresh();

	write_file(path, text, sizeof(text) - 1);
	ck_assert_int_eq(settings_read_file(s, path, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "NUL"));
	unlink(path);
	write_file(path, name, sizeof(name) - 1);
	ck_assert_int_eq(settings_read_file(s, path, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "\"retry_ms\\x00\""));
	unlink(path);
	settings_free(s);
}
END_TEST

START_TEST(lines_have_any_length_and_files_an_end)
{
	enum { MANY = 40000, TOO_MANY = 1024 * 1024 + 1 };
	char *text = malloc(TOO_MANY), path[32], error[SETTINGS_ERROR_BYTES];
	struct settings *s = fresh();
	size_t len;

	ck_assert_ptr_nonnull(text);
	len = (size_t)snprintf(text, TOO_MANY, "listen = ");
	for (int i = 0; i < MANY; i++)
		len += (size_t)snprintf(text + len, TOO_MANY - len, "127.0.0.1:%d,", i);
	write_file(path, text, len);
	ck_assert_int_eq(settings_read_file(s, path, error), 0);
	ck_assert_uint_eq(settings_list_count(s, SET_LISTEN), MANY);
	unlink(path);

	memset(text, '\n', TOO_MANY);
	write_file(path, text, TOO_MANY);
	ck_assert_int_eq(settings_read_file(s, path, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "larger than 1 MiB"));
	unlink(path);
	free(text);
	settings_free(s);
}
END_TEST

START_TEST(a_file_that_can_not_be_read_is_an_error)
{
	struct settings *s = fresh();
	char error[SETTINGS_ERROR_BYTES];

	ck_assert_int_eq(settings_read_file(s, "/nowhere/tidings.conf", error), -1);
	ck_assert_str_eq(error,
			 "cannot read the settings file /nowhere/tidings.conf: No such file or "
			 "directory");
	ck_assert_int_eq(settings_read_file(s, "/", error), -1);
	ck_assert_ptr_nonnull(strstr(error, "Is a directory"));
	settings_free(s);
}
END_TEST

static void read_environment(struct settings *s, char *const *envp, int expected, char *error)
{
	ck_assert_msg(settings_read_environment(s, envp, NULL, error) == expected, "%s", error);
}

START_TEST(every_setting_has_its_variable)
{
	for (enum setting i = 0; i < SET_COUNT; i++) {
		struct settings *s = fresh();
		char variable[128], error[SETTINGS_ERROR_BYTES], *envp[] = {variable, NULL};
		const char *name = settings_name(i);

		snprintf(variable, sizeof(variable), "SSE_%s=\x01", name);
		for (char *at = variable + 4; *at; at++)
			*at = *at >= 'a' && *at <= 'z' ? (char)(*at - 32) : *at;
		read_environment(s, envp, -1, error);
		*strchr(variable, '=') = '\0';
		ck_assert_int_eq(strncmp(error, name, strlen(name)), 0);
		ck_assert_ptr_nonnull(strstr(error, variable));
		settings_free(s);
	}
}
END_TEST

START_TEST(old_names_count_only_where_the_sse_form_is_missing)
{
	static const struct {
		const char *envp[4];
		enum setting name;
		const char *value, *origin;
	} variables[] = {
		{{"REDIS_URL=redis://a", NULL}, SET_REDIS_URL, "redis://a", "REDIS_URL"},
		{{"REDIS_URL=redis://a", "SSE_REDIS_URL=redis://b", NULL},
		 SET_REDIS_URL,
		 "redis://b",
		 "SSE_REDIS_URL"},
		{{"SSE_REDIS_URL=redis://b", "REDIS_URL=of another program", NULL},
		 SET_REDIS_URL,
		 "redis://b",
		 "SSE_REDIS_URL"},
		{{"TOPIC_PREFIX=a", NULL}, SET_TOPIC_PREFIX, "a", "TOPIC_PREFIX"},
		{{"CORS_ORIGINS=*", NULL}, SET_CORS_ORIGINS, "*", "CORS_ORIGINS"},
		{{"LOG_LEVEL=WARNING", NULL}, SET_LOG_LEVEL, "WARNING", "LOG_LEVEL"},
		{{"SSE_PATH=/a", NULL}, SET_SSE_PATH, "/a", "SSE_PATH"},
		{{"SSE_SSE_PATH=/b", "SSE_PATH=/a", NULL}, SET_SSE_PATH, "/b", "SSE_SSE_PATH"},
		{{"SSE_PATH=/a", "PATH=/bin", "SSE_SSE_PATHS=/c", NULL},
		 SET_SSE_PATH,
		 "/a",
		 "SSE_PATH"},
	};

	for (size_t i = 0; i < COUNT_OF(variables); i++) {
		struct settings *s = fresh();
		char error[SETTINGS_ERROR_BYTES];

		read_environment(s, (char *const *)variables[i].envp, 0, error);
		ck_assert_str_eq(settings_text(s, variables[i].name), variables[i].value);
		ck_assert_str_eq(settings_origin(s, variables[i].name), variables[i].origin);
		settings_free(s);
	}
}
END_TEST

START_TEST(a_bad_variable_is_named_and_nothing_falls_back)
{
	static const char *const bad[][2] = {
		{"SSE_HEARTBEAT_SECONDS=61", "heartbeat_seconds = \"61\" (SSE_HEARTBEAT_SECONDS)"},
		{"SSE_LISTEN=", "listen = \"\" (SSE_LISTEN)"},
		{"LOG_LEVEL=loud", "log_level = \"loud\" (LOG_LEVEL)"},
		{"REDIS_URL=rediss://:geheim@", "redis_url = \"rediss://***@\" (REDIS_URL)"},
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct settings *s = fresh();
		char error[SETTINGS_ERROR_BYTES], **envp = WORDS(bad[i][0]);

		read_environment(s, envp, -1, error);
		ck_assert_msg(strstr(error, bad[i][1]) == error, "%s", error);
		settings_free(s);
	}
}
END_TEST

static void count_warning(const char *name)
{
	ck_assert_msg(strcmp(name, "SSE_FOO") == 0 || strcmp(name, "SSE_listen") == 0 ||
			      strcmp(name, "SSE_") == 0,
		      "%s", name);
	setenv("warned", getenv("warned") ? "twice" : "once", 1);
}

START_TEST(unknown_variables_only_warn)
{
	char **envp = WORDS("SSE_FOO=1", "SSE_LISTEN=*:1", "SSE_PATH=/a", "FOO=1", "SSE_listen=x");
	struct settings *s = fresh();
	char error[SETTINGS_ERROR_BYTES];

	unsetenv("warned");
	ck_assert_int_eq(settings_read_environment(s, envp, count_warning, error), 0);
	ck_assert_str_eq(getenv("warned"), "twice");
	settings_free(s);
}
END_TEST

START_TEST(the_command_line_wins_over_environment_over_file_over_default)
{
	static const char text[] = "max_topics = 2\nretry_ms = 200\nmax_queue_size = 20\n";
	char **envp = WORDS("SSE_RETRY_MS=300", "SSE_MAX_QUEUE_SIZE=30");
	struct settings *s = fresh();
	char path[32], origin[64], error[SETTINGS_ERROR_BYTES];

	write_file(path, text, sizeof(text) - 1);
	ck_assert_int_eq(settings_read_file(s, path, error), 0);
	unlink(path);
	read_environment(s, envp, 0, error);
	ck_assert_int_eq(settings_set(s, "max_queue_size=40", error), 0);
	ck_assert_uint_eq(settings_number(s, SET_HISTORY_SIZE), 100);
	ck_assert_uint_eq(settings_number(s, SET_MAX_TOPICS), 2);
	ck_assert_uint_eq(settings_number(s, SET_RETRY_MS), 300);
	ck_assert_uint_eq(settings_number(s, SET_MAX_QUEUE_SIZE), 40);
	snprintf(origin, sizeof(origin), "%s:1", path);
	ck_assert_str_eq(settings_origin(s, SET_HISTORY_SIZE), "default");
	ck_assert_str_eq(settings_origin(s, SET_MAX_TOPICS), origin);
	ck_assert_str_eq(settings_origin(s, SET_RETRY_MS), "SSE_RETRY_MS");
	ck_assert_str_eq(settings_origin(s, SET_MAX_QUEUE_SIZE), "--set");
	settings_free(s);
}
END_TEST

START_TEST(set_takes_name_and_value)
{
	struct settings *s = fresh();
	char error[SETTINGS_ERROR_BYTES];

	ck_assert_int_eq(settings_set(s, " retry_ms = 700 ", error), 0);
	ck_assert_uint_eq(settings_number(s, SET_RETRY_MS), 700);
	ck_assert_int_eq(settings_set(s, "auth_url=http://h/?a=b", error), 0);
	ck_assert_str_eq(settings_text(s, SET_AUTH_URL), "http://h/?a=b");
	ck_assert_int_eq(settings_set(s, "retry_ms", error), -1);
	ck_assert_ptr_nonnull(strstr(error, "= is missing"));
	ck_assert_int_eq(settings_set(s, "retry=1", error), -1);
	ck_assert_ptr_nonnull(strstr(error, "\"retry\" (--set)"));
	settings_free(s);
}
END_TEST

/* conf/tidings.conf: each setting once, as `#name = default`, below `# help` and `# allowed`. */
static char *read_example(const char *top)
{
	char path[4096], *text = calloc(1, 65536);

	snprintf(path, sizeof(path), "%s/conf/tidings.conf", top);
	FILE *f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_lt(fread(text, 1, 65536, f), 65535);
	fclose(f);
	return text;
}

START_TEST(the_example_file_says_what_the_table_says)
{
	const char *top = getenv("top_srcdir");
	char *text = read_example(top ? top : "."), *at = text;
	char path[32], error[SETTINGS_ERROR_BYTES], wanted[1024];
	struct settings *s = fresh();

	for (enum setting i = 0; i < SET_COUNT; i++) {
		const char *initial = settings_default(i);

		snprintf(wanted, sizeof(wanted), "\n# %s\n# %s\n#%s =%s%s\n", settings_help(i),
			 settings_allowed(i), settings_name(i), *initial ? " " : "", initial);
		char *found = strstr(at, wanted);
		ck_assert_msg(found != NULL, "not there, or out of order:%s", wanted);
		at = found + strlen(wanted) - 1;
		/* without its # the line is read, but for the two that must be set */
		if (i != SET_AUTH && i != SET_PUBLISH_AUTH)
			*(char *)memrchr(found, '#', strlen(wanted)) = ' ';
	}
	write_file(path, text, strlen(text));
	ck_assert_msg(settings_read_file(s, path, error) == 0, "%s", error);
	unlink(path);
	for (enum setting i = 0; i < SET_COUNT; i++) {
		ck_assert_str_eq(settings_text(s, i), settings_default(i));
		ck_assert(i == SET_AUTH || i == SET_PUBLISH_AUTH ||
			  strncmp(settings_origin(s, i), path, strlen(path)) == 0);
	}
	settings_free(s);
	free(text);
}
END_TEST

RUN_TESTS("settings_read", every_line_of_a_file_is_taken_or_named, a_nul_in_a_file_hides_nothing,
	  lines_have_any_length_and_files_an_end, a_file_that_can_not_be_read_is_an_error,
	  every_setting_has_its_variable, old_names_count_only_where_the_sse_form_is_missing,
	  a_bad_variable_is_named_and_nothing_falls_back, unknown_variables_only_warn,
	  the_command_line_wins_over_environment_over_file_over_default, set_takes_name_and_value,
	  the_example_file_says_what_the_table_says)
