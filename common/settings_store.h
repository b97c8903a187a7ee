/* settings_store: the one door through which a value gets into struct settings, for the readers of
 * file, environment and --set. */
#ifndef TIDINGS_COMMON_SETTINGS_STORE_H
#define TIDINGS_COMMON_SETTINGS_STORE_H

#include "common/settings.h"
#include "common/span.h"

/* The setting of that name, or SET_COUNT. */
enum setting settings_find(struct span name);

/* Checks value against its row and keeps a copy of it and of origin. Returns 0, or -1 with a line
 * in error[SETTINGS_ERROR_BYTES]; then the value from before is still there. */
int settings_store(struct settings *s, enum setting name, struct span value, const char *origin,
		   char *error);

/* Writes the line, returns -1. */
int settings_error(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define SETTINGS_VARIABLE_BYTES 64

/* The setting's name in the environment, "SSE_" and the name in capitals; writes to
 * out[SETTINGS_VARIABLE_BYTES] and returns it. */
const char *settings_variable(enum setting name, char *out);

/* text without the blanks around it. */
struct span settings_trim(struct span text);

#endif
