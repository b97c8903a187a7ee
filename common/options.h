/* options: the command line that both programs share: --config FILE, --set name=value, --check,
 * --print-config,
 * --version, --help. Reads file, environment and --set into settings, in their order of precedence.
 */
#ifndef TIDINGS_COMMON_OPTIONS_H
#define TIDINGS_COMMON_OPTIONS_H

#include "common/settings.h"

enum options_outcome {
	OPTIONS_RUN,  /* settings are complete and checked: go on */
	OPTIONS_DONE, /* --check, --print-config, --version, --help did their work: exit 0 */
	OPTIONS_BAD,  /* said on stderr: exit 2 */
};

#define EXIT_ASKED    0 /* asked to stop */
#define EXIT_FAILED   1 /* failed while running */
#define EXIT_SETTINGS 2 /* wrong settings or usage */

/* program_name for messages ("tidings-streamer"); *out is given on OPTIONS_RUN alone and is the
 * caller's to free. The file comes from --config or, without it, TIDINGS_CONFIG. */
enum options_outcome options_read(int argc, char **argv, char **envp, enum settings_program program,
				  const char *program_name, struct settings **out);

/* The same, with what the program itself checks behind settings_check, before --check says that all
 * is good: returns 0, or -1 with a line in error[SETTINGS_ERROR_BYTES]. */
enum options_outcome options_read_checked(int argc, char **argv, char **envp,
					  enum settings_program program, const char *program_name,
					  int (*check)(const struct settings *s, char *error),
					  struct settings **out);

#endif
