/* test_options: the command line of both programs. */
#include "common/options.h"

#include <fcntl.h>

#include "tests/unit/settings_tools.h"

#define MAX_ARGUMENTS 8

struct run {
	enum options_outcome outcome;
	struct settings *settings; /* NULL unless OPTIONS_RUN */
	char said[32768];          /* stdout and stderr */
};

/* Runs options_read with what it prints caught in a file. */
static void run(struct run *r, enum settings_program program, char *const *args, char **envp)
{
	static char name[] = "tidings-x";
	char *argv[MAX_ARGUMENTS + 2] = {name}, path[] = "/tmp/tidings-test-XXXXXX";
	int argc = 1, fd = mkstemp(path), saved[2] = {dup(1), dup(2)};

	ck_assert_int_ge(fd, 0);
	unlink(path);
	for (; args[argc - 1]; argc++)
		argv[argc] = args[argc - 1];
	memset(r, 0, sizeof(*r));
	fflush(stdout);
	dup2(fd, 1);
	dup2(fd, 2);
	r->outcome = options_read(argc, argv, envp, program, name, &r->settings);
	fflush(stdout);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	ck_assert_int_ge(pread(fd, r->said, sizeof(r->said) - 1, 0), 0);
	close(fd);
}

static char *nothing[] = {NULL};

START_TEST(what_is_wrong_is_said_and_nothing_runs)
{
	static const struct {
		const char *args[MAX_ARGUMENTS];
		const char *said;
	} cases[] = {
		{{"--set", "auth=public", "--set", "retry_ms=1"},
		 "tidings-x: retry_ms = \"1\" (--set): "},
		{{"--set"}, "--help shows what is taken"},
		{{"--what"}, "--help shows what is taken"},
		{{"file.conf"}, "tidings-x: only options are taken"},
		{{"--check", "file.conf"}, "tidings-x: only options are taken"},
		{{"--check"}, "tidings-x: auth must be set"},
		{{"--print-config", "--set", "no=1"}, "tidings-x: \"no\" (--set)"},
		{{"--config", "/nowhere"}, "tidings-x: cannot read the settings file /nowhere"},
		{{"--check=yes"}, "--help shows what is taken"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct run r;

		run(&r, SETTINGS_STREAMER, (char *const *)cases[i].args, nothing);
		ck_assert_int_eq(r.outcome, OPTIONS_BAD);
		ck_assert_ptr_null(r.settings);
		ck_assert_msg(strstr(r.said, cases[i].said) != NULL, "%s", r.said);
	}
}
END_TEST

START_TEST(questions_are_answered_without_running)
{
	static const struct {
		const char *args[MAX_ARGUMENTS];
		const char *said;
	} cases[] = {
		{{"--version"}, "tidings-x 0."},
		{{"--help"}, "usage: tidings-x "},
		{{"--help", "--set", "no=1"}, "--print-config"},
		{{"--check", "--set", "auth=public"}, "tidings-x: the settings are good\n"},
		{{"--print-config"}, "\nauth = # not set\n"},
		{{"--print-config", "--set=retry_ms=777"}, "\nretry_ms = 777  # --set\n"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct run r;

		run(&r, SETTINGS_STREAMER, (char *const *)cases[i].args, nothing);
		ck_assert_msg(r.outcome == OPTIONS_DONE, "%s", r.said);
		ck_assert_ptr_null(r.settings);
		ck_assert_msg(strstr(r.said, cases[i].said) != NULL, "%s", r.said);
	}
}
END_TEST

START_TEST(help_names_every_setting)
{
	char **args = WORDS("--help");
	struct run r;

	run(&r, SETTINGS_PUBLISH, args, nothing);
	for (enum setting i = 0; i < SET_COUNT; i++) {
		char line[64];

		snprintf(line, sizeof(line), "\n  %s ", settings_name(i));
		ck_assert_msg(strstr(r.said, line) != NULL, "%s", settings_name(i));
	}
}
END_TEST

START_TEST(set_wins_over_environment_over_file)
{
	char path[32], variable[64];
	char **envp = WORDS(variable, "SSE_RETRY_MS=300", "SSE_UNKNOWN=1");
	static const char text[] = "auth = public\nretry_ms = 200\nmax_topics = 2\n";
	char **args = WORDS("--set", "retry_ms=350", "--set", "retry_ms=400");
	struct run r;

	write_file(path, text, sizeof(text) - 1);
	snprintf(variable, sizeof(variable), "TIDINGS_CONFIG=%s", path);
	run(&r, SETTINGS_STREAMER, args, envp);
	unlink(path);
	ck_assert_msg(r.outcome == OPTIONS_RUN, "%s", r.said);
	ck_assert_uint_eq(settings_number(r.settings, SET_RETRY_MS), 400);
	ck_assert_uint_eq(settings_number(r.settings, SET_MAX_TOPICS), 2);
	ck_assert_ptr_nonnull(strstr(r.said, "\"SSE_UNKNOWN\""));
	settings_free(r.settings);
}
END_TEST

START_TEST(config_wins_over_the_variable_that_names_a_file)
{
	static const char text[] = "publish_auth = none\nmax_topics = 2\n";
	char path[32], **envp = WORDS("TIDINGS_CONFIG=/nowhere");
	char **args = WORDS("--config", path);
	struct run r;

	write_file(path, text, sizeof(text) - 1);
	run(&r, SETTINGS_PUBLISH, args, envp);
	unlink(path);
	ck_assert_msg(r.outcome == OPTIONS_RUN, "%s", r.said);
	ck_assert_uint_eq(settings_number(r.settings, SET_MAX_TOPICS), 2);
	settings_free(r.settings);
}
END_TEST

START_TEST(an_empty_variable_names_no_file)
{
	char **envp = WORDS("TIDINGS_CONFIG=", "SSE_PUBLISH_AUTH=none");
	struct run r;

	run(&r, SETTINGS_PUBLISH, nothing, envp);
	ck_assert_msg(r.outcome == OPTIONS_RUN, "%s", r.said);
	settings_free(r.settings);
}
END_TEST

RUN_TESTS("options", what_is_wrong_is_said_and_nothing_runs, questions_are_answered_without_running,
	  help_names_every_setting, set_wins_over_environment_over_file,
	  config_wins_over_the_variable_that_names_a_file, an_empty_variable_names_no_file)
