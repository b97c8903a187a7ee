/* settings_read: fills struct settings from a file, the environment and --set. Knows the syntax of
 * each; what a value must look like is settings' and its table's affair. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/settings_store.h"
#include "common/settings_table.h"

#define FILE_MAX_BYTES   (1024 * 1024)
#define NAME_SHOWN_BYTES 128
#define BOM              "\xef\xbb\xbf"

/* Names of old and of elsewhere; each counts only where the SSE_ form of its setting is missing. */
static const struct {
	const char *variable;
	enum setting setting;
} aliases[] = {
	{"REDIS_URL", SET_REDIS_URL},       {"TOPIC_PREFIX", SET_TOPIC_PREFIX},
	{"CORS_ORIGINS", SET_CORS_ORIGINS}, {"LOG_LEVEL", SET_LOG_LEVEL},
	{"SSE_PATH", SET_SSE_PATH},
};

#define N_ALIASES (sizeof(aliases) / sizeof(*aliases))

/* ---- the file ---- */

static int read_all(int fd, struct buf *b)
{
	for (;;) {
		char *at = buf_reserve(b, 4096);
		if (!at)
			return -errno;

		ssize_t n = read(fd, at, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		b->len += (size_t)n;
	}
}

static int load(const char *path, struct buf *b, char *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = fd < 0 ? -errno : read_all(fd, b);

	if (fd >= 0)
		close(fd);
	if (rc == -ENOBUFS)
		return settings_error(error, "the settings file %.300s is larger than 1 MiB", path);
	if (rc < 0)
		return settings_error(error, "cannot read the settings file %.300s: %s", path,
				      strerror(-rc));
	return 0;
}

struct file_reader {
	struct settings *s;
	const char *path;
	size_t line;
	size_t seen_at[SET_COUNT]; /* line of the first occurrence, 0: none */
	char *error;
};

static int unknown_name(char *error, const char *origin, struct span name)
{
	char shown[NAME_SHOWN_BYTES];

	return settings_error(
		error, "%s (%.300s): there is no setting of this name; --print-config shows all",
		log_quote(name.at, name.len, shown, sizeof(shown)), origin);
}

static int read_line(struct file_reader *r, struct span line)
{
	struct span name, value;
	char origin[512];

	snprintf(origin, sizeof(origin), "%.480s:%zu", r->path, r->line);
	line = settings_trim(line);
	if (line.len == 0 || line.at[0] == '#')
		return 0;
	if (line.at[0] == '[')
		return settings_error(r->error,
				      "%s: sections in [ ] are not known here, only name = value",
				      origin);
	const char *equals = memchr(line.at, '=', line.len);
	if (!equals) /* the line is not shown: there may be a password in it */
		return settings_error(r->error, "%s: the = is missing, a line is name = value",
				      origin);

	name = settings_trim((struct span){line.at, (size_t)(equals - line.at)});
	value = (struct span){equals + 1, (size_t)(line.at + line.len - equals - 1)};
	enum setting i = settings_find(name);
	if (i == SET_COUNT)
		return unknown_name(r->error, origin, name);
	if (r->seen_at[i])
		return settings_error(r->error, "%s (%s): it stands in line %zu already",
				      settings_name(i), origin, r->seen_at[i]);
	r->seen_at[i] = r->line;
	return settings_store(r->s, i, value, origin, r->error);
}

static int read_lines(struct file_reader *r, struct span text)
{
	int rc = 0;

	if (text.len >= 3 && memcmp(text.at, BOM, 3) == 0)
		text = (struct span){text.at + 3, text.len - 3};
	while (rc == 0 && text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len);
		size_t len = end ? (size_t)(end - text.at) : text.len;

		r->line++;
		rc = read_line(r, (struct span){text.at, len});
		len += end != NULL;
		text = (struct span){text.at + len, text.len - len};
	}
	return rc;
}

int settings_read_file(struct settings *s, const char *path, char *error)
{
	struct file_reader r = {.s = s, .path = path, .error = error};
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX_BYTES);
	rc = load(path, &b, error);
	if (rc == 0)
		rc = read_lines(&r, (struct span){b.data, b.len});
	if (b.data)
		explicit_bzero(b.data, b.len);
	buf_done(&b);
	return rc;
}

/* ---- the environment ---- */

static const char *variable(char *const *envp, const char *name)
{
	size_t len = strlen(name);

	for (; *envp; envp++) {
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	}
	return NULL;
}

static int read_variable(struct settings *s, char *const *envp, const char *name,
			 enum setting setting, char *error)
{
	const char *value = variable(envp, name);

	return value ? settings_store(s, setting, span_of(value), name, error) : 0;
}

static bool known_variable(const char *assignment, size_t len)
{
	struct span given = {assignment, len};
	char name[SETTINGS_VARIABLE_BYTES];

	for (size_t i = 0; i < N_ALIASES; i++) {
		if (span_is(given, aliases[i].variable))
			return true;
	}
	for (enum setting i = 0; i < SET_COUNT; i++) {
		if (span_is(given, settings_variable(i, name)))
			return true;
	}
	return false;
}

static void warn_unknown(char *const *envp, void (*warn)(const char *name))
{
	char name[NAME_SHOWN_BYTES];

	for (; *envp; envp++) {
		size_t len = strcspn(*envp, "=");

		if (strncmp(*envp, "SSE_", 4) != 0 || known_variable(*envp, len))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name)),
			 *envp);
		warn(name);
	}
}

int settings_read_environment(struct settings *s, char *const *envp, void (*warn)(const char *name),
			      char *error)
{
	char name[SETTINGS_VARIABLE_BYTES];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < N_ALIASES; i++) {
		if (!variable(envp, settings_variable(aliases[i].setting, name)))
			rc = read_variable(s, envp, aliases[i].variable, aliases[i].setting, error);
	}
	for (enum setting i = 0; rc == 0 && i < SET_COUNT; i++)
		rc = read_variable(s, envp, settings_variable(i, name), i, error);
	if (rc == 0 && warn)
		warn_unknown(envp, warn);
	return rc;
}

/* ---- --set ---- */

int settings_set(struct settings *s, const char *assignment, char *error)
{
	const char *equals = strchr(assignment, '=');

	if (!equals)
		return settings_error(error, "--set: the = is missing, it takes name=value");
	struct span name = settings_trim((struct span){assignment, (size_t)(equals - assignment)});
	enum setting i = settings_find(name);
	if (i == SET_COUNT)
		return unknown_name(error, "--set", name);
	return settings_store(s, i, span_of(equals + 1), "--set", error);
}
