/* options: see options.h. The command line of both programs, and the order in which file,
 * environment and --set are read. Writes to stdout what was asked for and to stderr what is wrong;
 * the log is not started here. */
#include "common/options.h"

#include <config.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

struct command_line {
	const char *program_name;
	int (*program_check)(const struct settings *s, char *error); /* or NULL */
	const char *file;
	bool check, print_config, version, help;
};

enum {
	OPTION_CONFIG = 256,
	OPTION_SET,
	OPTION_CHECK,
	OPTION_PRINT_CONFIG,
	OPTION_VERSION,
	OPTION_HELP
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"set", required_argument, NULL, OPTION_SET},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"print-config", no_argument, NULL, OPTION_PRINT_CONFIG},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, OPTION_HELP},
	{0},
};

static void print_help(const char *program_name)
{
	printf("usage: %s [--config FILE] [--set NAME=VALUE]... [--check | --print-config]\n"
	       "\n"
	       "  --config FILE     read settings from FILE (else from the one that TIDINGS_CONFIG "
	       "names)\n"
	       "  --set NAME=VALUE  set one setting, above file and environment; may be repeated\n"
	       "  --check           check the settings and exit\n"
	       "  --print-config    print every setting in effect and where it comes from, and "
	       "exit\n"
	       "  --version         print the version and exit\n"
	       "  --help            print this and exit\n"
	       "\n"
	       "A setting is taken from --set, else from its variable in the environment (SSE_ and "
	       "its\n"
	       "name in capitals), else from the file, else its default:\n\n",
	       program_name);
	for (enum setting i = 0; i < SET_COUNT; i++)
		printf("  %-25s %s (%s)\n", settings_name(i), settings_help(i),
		       settings_allowed(i));
}

static int usage_error(const char *program_name, const char *what)
{
	fprintf(stderr, "%s: %s; --help shows what is taken\n", program_name, what);
	return -1;
}

/* One walk over argv; settings are touched only when s is given. */
static int walk_arguments(int argc, char **argv, struct command_line *line, struct settings *s)
{
	char error[SETTINGS_ERROR_BYTES];
	int option;

	optind = 0; /* GNU: begin anew */
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_CONFIG: line->file = optarg; break;
		case OPTION_CHECK: line->check = true; break;
		case OPTION_PRINT_CONFIG: line->print_config = true; break;
		case OPTION_VERSION: line->version = true; break;
		case OPTION_HELP: line->help = true; break;
		case OPTION_SET:
			if (s && settings_set(s, optarg, error) < 0) {
				fprintf(stderr, "%s: %s\n", line->program_name, error);
				return -1;
			}
			break;
		default: return usage_error(line->program_name, "bad usage");
		}
	}
	return optind < argc ? usage_error(line->program_name, "only options are taken") : 0;
}

static const char *file_from_environment(char *const *envp)
{
	static const char name[] = "TIDINGS_CONFIG=";

	for (; *envp; envp++) {
		if (strncmp(*envp, name, sizeof(name) - 1) == 0)
			return (*envp)[sizeof(name) - 1] ? *envp + sizeof(name) - 1 : NULL;
	}
	return NULL;
}

static void warn_unknown(const char *name)
{
	char shown[160];

	log_warn("variable %s is not a setting of this program",
		 log_quote(name, strlen(name), shown, sizeof(shown)));
}

static int read_settings(int argc, char **argv, char **envp, struct command_line *line,
			 struct settings *s)
{
	char error[SETTINGS_ERROR_BYTES];
	const char *file = line->file ? line->file : file_from_environment(envp);

	if ((file && settings_read_file(s, file, error) < 0) ||
	    settings_read_environment(s, envp, warn_unknown, error) < 0) {
		fprintf(stderr, "%s: %s\n", line->program_name, error);
		return -1;
	}
	return walk_arguments(argc, argv, line, s);
}

static enum options_outcome finish(const struct command_line *line, enum settings_program program,
				   struct settings *s, struct settings **out)
{
	char error[SETTINGS_ERROR_BYTES];

	if (line->print_config) {
		settings_print(s, stdout);
		settings_free(s);
		return OPTIONS_DONE;
	}
	if (settings_check(s, program, error) < 0 ||
	    (line->program_check && line->program_check(s, error) < 0)) {
		fprintf(stderr, "%s: %s\n", line->program_name, error);
		settings_free(s);
		return OPTIONS_BAD;
	}
	if (line->check) {
		printf("%s: the settings are good\n", line->program_name);
		settings_free(s);
		return OPTIONS_DONE;
	}
	*out = s;
	return OPTIONS_RUN;
}

enum options_outcome options_read_checked(int argc, char **argv, char **envp,
					  enum settings_program program, const char *program_name,
					  int (*check)(const struct settings *s, char *error),
					  struct settings **out)
{
	struct command_line line = {.program_name = program_name, .program_check = check};
	struct settings *s;

	if (walk_arguments(argc, argv, &line, NULL) < 0)
		return OPTIONS_BAD;
	if (line.help) {
		print_help(program_name);
		return OPTIONS_DONE;
	}
	if (line.version) {
		printf("%s %s\n", program_name, PACKAGE_VERSION);
		return OPTIONS_DONE;
	}
	s = settings_new();
	if (!s) {
		fprintf(stderr, "%s: out of memory\n", program_name);
		return OPTIONS_BAD;
	}
	if (read_settings(argc, argv, envp, &line, s) < 0) {
		settings_free(s);
		return OPTIONS_BAD;
	}
	return finish(&line, program, s, out);
}

enum options_outcome options_read(int argc, char **argv, char **envp, enum settings_program program,
				  const char *program_name, struct settings **out)
{
	return options_read_checked(argc, argv, envp, program, program_name, NULL, out);
}
