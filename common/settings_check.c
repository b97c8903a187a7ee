/* settings_check: what a program demands of its settings as a whole. Each value has the form that
 * its row asks for already; here it is about those that must be set, those that demand or exclude
 * another, and those whose feature this version does not have. */
#include <string.h>
#include <strings.h>

#include "common/settings.h"
#include "common/settings_store.h"
#include "common/settings_table.h"

static int check_must_set(const struct settings *s, enum settings_program program, char *error)
{
	char variable[SETTINGS_VARIABLE_BYTES];

	for (enum setting i = 0; i < SET_COUNT; i++) {
		const struct setting_row *row = &settings_table[i];

		if ((row->must_for & program) && *settings_text(s, i) == '\0')
			return settings_error(
				error, "%s must be set, in the file, as %s or with --set: %s",
				row->name, settings_variable(i, variable), row->advice);
	}
	return 0;
}

static int check_available(const struct settings *s, char *error)
{
	for (enum setting i = 0; i < SET_COUNT; i++) {
		const struct setting_row *row = &settings_table[i];
		const char *text = settings_text(s, i), *why;

		if (row->available && strcasecmp(text, row->available) != 0 &&
		    strcasecmp(text, settings_default(i)) != 0)
			return settings_error(
				error,
				"%s = %.200s (%.300s): not available yet; this version "
				"takes %s%s%s",
				row->name, text, settings_origin(s, i),
				*row->available ? row->available : "nothing here",
				row->with_auto ? " or " : "",
				row->with_auto ? settings_default(i) : "");
		if (row->available_form && (why = row->available_form(text)) != NULL)
			return settings_error(error, "%s (%.300s): %s; allowed is %s", row->name,
					      settings_origin(s, i), why, row->allowed);
	}
	return 0;
}

static int check_companion(const struct settings *s, enum setting word, enum setting companion,
			   char *error)
{
	if (*settings_text(s, companion) != '\0')
		return 0;
	return settings_error(error, "%s = %s (%.300s) demands %s: allowed is %s",
			      settings_name(word), settings_text(s, word), settings_origin(s, word),
			      settings_name(companion), settings_allowed(companion));
}

/* `*` is answered without Allow-Credentials; beside it the other origins would seem to get them. */
static int check_origins(const struct settings *s, char *error)
{
	size_t count = settings_list_count(s, SET_CORS_ORIGINS);
	char item[2];

	for (size_t i = 0; count > 1 && i < count; i++) {
		if (settings_list_item(s, SET_CORS_ORIGINS, i, item, sizeof(item)) == 1 &&
		    *item == '*')
			return settings_error(
				error,
				"cors_origins (%.300s): * stands alone; it lets every site "
				"listen, without credentials, so other origins beside it "
				"mean nothing",
				settings_origin(s, SET_CORS_ORIGINS));
	}
	return 0;
}

int settings_check(const struct settings *s, enum settings_program program, char *error)
{
	int rc;

	if ((rc = check_must_set(s, program, error)) < 0 || (rc = check_available(s, error)) < 0 ||
	    (rc = check_origins(s, error)) < 0)
		return rc;
	if (program == SETTINGS_PUBLISH && settings_word(s, SET_PUBLISH_AUTH) == PUBLISH_AUTH_TOKEN)
		return check_companion(s, SET_PUBLISH_AUTH, SET_PUBLISH_TOKENS_FILE, error);
	if (program == SETTINGS_STREAMER && settings_word(s, SET_AUTH) == AUTH_URL)
		return check_companion(s, SET_AUTH, SET_AUTH_URL, error);
	return 0;
}
