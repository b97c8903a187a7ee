/* settings_tools: what the tests of settings and options share. */
#ifndef TIDINGS_TESTS_UNIT_SETTINGS_TOOLS_H
#define TIDINGS_TESTS_UNIT_SETTINGS_TOOLS_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/settings.h"
#include "tests/unit/run.h"

/* An argv or environment of these words. */
#define WORDS(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

/* A file with this text, relative to no folder of the project; the caller unlinks it. path[32]. */
static inline void write_file(char *path, const char *text, size_t len)
{
	strncpy(path, "/tmp/tidings-test-XXXXXX", 32);
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static inline struct settings *fresh(void)
{
	struct settings *s = settings_new();

	ck_assert_ptr_nonnull(s);
	return s;
}

static inline enum setting setting_named(const char *name)
{
	for (enum setting i = 0; i < SET_COUNT; i++) {
		if (strcmp(settings_name(i), name) == 0)
			return i;
	}
	ck_abort_msg("no setting %s", name);
	return SET_COUNT;
}

/* All of --print-config; out[16384]. */
static inline const char *printed(const struct settings *s, char *out)
{
	FILE *f = fmemopen(out, 16384, "w");

	ck_assert_ptr_nonnull(f);
	settings_print(s, f);
	fclose(f);
	return out;
}

#endif
