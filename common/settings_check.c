/* settings_check: what a program demands of its settings as a whole. Each value has the form that
 * its row asks for already; here it is about those that must be set, those that demand or exclude
 * another, and those whose feature this version does not have. */
#include <string.h>
#include <strings.h>

#include "common/endpoint.h"
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
		const char *text = settings_text(s, i);

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

/* The i-th place of `listen`, and behind the last one that of admin_listen. Returns false past the
 * end. */
static bool nth_endpoint(const struct settings *s, size_t i, struct endpoint *out)
{
	size_t n = settings_list_count(s, SET_LISTEN);
	const char *admin = settings_text(s, SET_ADMIN_LISTEN), *why;
	char item[1024];
	int len;

	if (i > n || (i == n && strcasecmp(admin, "same") == 0))
		return false;
	if (i == n)
		return endpoint_parse(admin, strlen(admin), out, &why) == 0;
	len = settings_list_item(s, SET_LISTEN, i, item, sizeof(item));
	return len >= 0 && endpoint_parse(item, (size_t)len, out, &why) == 0;
}

static int say_clash(const struct settings *s, const struct endpoint *at, bool in_list, char *error)
{
	char name[160];

	endpoint_format((const struct sockaddr *)&at->addr, at->addr_len, name, sizeof(name));
	if (in_list)
		return settings_error(error, "listen (%.300s) names %s twice",
				      settings_origin(s, SET_LISTEN), name);
	return settings_error(error, "listen (%.300s) and admin_listen (%.300s) both name %s",
			      settings_origin(s, SET_LISTEN), settings_origin(s, SET_ADMIN_LISTEN),
			      name);
}

/* The start would fail, and look as if somebody else had the address. */
static int check_endpoints(const struct settings *s, char *error)
{
	struct endpoint a, b;

	for (size_t i = 0; nth_endpoint(s, i, &a); i++) {
		for (size_t k = 0; k < i && nth_endpoint(s, k, &b); k++) {
			if (endpoint_clash(&a, &b))
				return say_clash(s, &a, i < settings_list_count(s, SET_LISTEN),
						 error);
		}
	}
	return 0;
}

/* One call is about many topics: none of them stands in its URL. */
static int check_batch(const struct settings *s, char *error)
{
	if (settings_word(s, SET_AUTH_MODE) != AUTH_MODE_BATCH ||
	    !strstr(settings_text(s, SET_AUTH_URL), "{topic}"))
		return 0;
	return settings_error(error,
			      "auth_mode = batch (%.300s) takes an auth_url without {topic} "
			      "(%.300s): the topics are in the body of the call",
			      settings_origin(s, SET_AUTH_MODE), settings_origin(s, SET_AUTH_URL));
}

/* Who may listen: `public` beside another word would make that one mean nothing. */
static int check_auth(const struct settings *s, char *error)
{
	unsigned auth = settings_words(s, SET_AUTH);
	int rc = 0;

	if ((auth & AUTH_PUBLIC) && auth != AUTH_PUBLIC)
		return settings_error(error,
				      "auth = %s (%.300s): public stands alone; it lets everybody "
				      "listen: allowed is %s",
				      settings_text(s, SET_AUTH), settings_origin(s, SET_AUTH),
				      settings_allowed(SET_AUTH));
	if (auth & AUTH_URL)
		rc = check_companion(s, SET_AUTH, SET_AUTH_URL, error);
	if (rc == 0 && (auth & AUTH_TICKET))
		rc = check_companion(s, SET_AUTH, SET_TICKET_KEYS_FILE, error);
	return rc;
}

int settings_check(const struct settings *s, enum settings_program program, char *error)
{
	int rc;

	if ((rc = check_must_set(s, program, error)) < 0 || (rc = check_available(s, error)) < 0 ||
	    (rc = check_origins(s, error)) < 0)
		return rc;
	if (program == SETTINGS_PUBLISH && settings_word(s, SET_PUBLISH_AUTH) == PUBLISH_AUTH_TOKEN)
		return check_companion(s, SET_PUBLISH_AUTH, SET_PUBLISH_TOKENS_FILE, error);
	if (program == SETTINGS_STREAMER && (rc = check_endpoints(s, error)) < 0)
		return rc;
	if (program != SETTINGS_STREAMER)
		return 0;
	rc = check_auth(s, error);
	return rc < 0 ? rc : check_batch(s, error);
}
