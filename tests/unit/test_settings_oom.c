/* test_settings_oom: memory that runs out while settings are read is told, and leaves nothing
 * behind. */
#include <stdlib.h>
#include <string.h>

#include "common/redis_url.h"
#include "tests/unit/oom.h"
#include "tests/unit/settings_tools.h"

static bool make_settings(void)
{
	struct settings *s = settings_new();

	settings_free(s);
	return !s;
}

static bool parse_url(void)
{
	struct redis_url u;
	const char *why;
	int rc = redis_url_parse("redis+sentinel://us%41r:p%2Fw@a,b/mymaster/1", &u, &why);

	if (rc == 0)
		redis_url_done(&u);
	return rc < 0;
}

/* A value that could not be kept leaves the one from before. */
static bool set_value(void)
{
	struct settings *s = settings_new();
	char error[SETTINGS_ERROR_BYTES] = "";
	bool out_of_memory = !s;

	if (s && settings_set(s, "listen=127.0.0.1:1, unix:/s", error) < 0) {
		ck_assert_ptr_nonnull(strstr(error, "out of memory"));
		ck_assert_str_eq(settings_text(s, SET_LISTEN), "127.0.0.1:8081");
		out_of_memory = true;
	}
	settings_free(s);
	return out_of_memory;
}

START_TEST(memory_that_runs_out_is_told_and_nothing_is_left)
{
	oom_exhaust(make_settings);
	oom_exhaust(parse_url);
	oom_exhaust(set_value);
}
END_TEST

RUN_TESTS("settings_oom", memory_that_runs_out_is_told_and_nothing_is_left)
