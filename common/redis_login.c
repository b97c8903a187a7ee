/* redis_login: see redis_login.h. Owns the URL and the TLS context. The password's file is read for
 * each sign-in, and its bytes are wiped behind it. */
#include "common/redis_login.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/resp.h"
#include "common/settings.h"
#include "common/span.h"
#include "common/tls.h"

#define PASSWORD_MAX_BYTES 4096

/* ---- the password's file ---- */

/* Reads at most size bytes; returns how many, or a negative errno. A pipe could make the caller
 * wait, a folder can't be read: only a file will do. */
static ssize_t read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = 1;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	while (len < size && n != 0) {
		n = read(fd, out + len, size - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno != EINTR)
			break;
	}
	int err = errno;
	close(fd);
	return n < 0 ? -err : (ssize_t)len;
}

/* Takes the line break off the end. Returns NULL, or what is wrong. */
static const char *trim(const char *text, size_t *len)
{
	if (*len > 0 && text[*len - 1] == '\n')
		--*len;
	if (*len > 0 && text[*len - 1] == '\r')
		--*len;
	if (*len == 0)
		return "it is empty";
	if (*len > PASSWORD_MAX_BYTES)
		return "it is longer than 4096 bytes";
	if (memchr(text, '\n', *len) || memchr(text, '\0', *len))
		return "it holds more than one line";
	return NULL;
}

/* out[PASSWORD_MAX_BYTES + 3]. Returns 0, or a negative errno with words in error. */
static int read_password(const char *path, char *out, size_t *len, char *error, size_t size)
{
	ssize_t n = read_file(path, out, PASSWORD_MAX_BYTES + 3);
	const char *why = NULL;

	*len = n < 0 ? 0 : (size_t)n;
	if (n < 0)
		why = n == -EINVAL ? "it is no file" : strerror((int)-n);
	else
		why = trim(out, len);
	if (!why)
		return 0;
	snprintf(error, size, "cannot take the password from redis_password_file %.300s: %s", path,
		 why);
	return n < 0 ? (int)n : -EINVAL;
}

/* ---- the commands of a sign-in ---- */

static int write_auth(const struct redis_url *url, struct span password, struct buf *out)
{
	int rc = resp_command(out, url->user ? 3 : 2);

	if (rc == 0)
		rc = resp_text(out, "AUTH");
	if (rc == 0 && url->user)
		rc = resp_text(out, url->user);
	return rc < 0 ? rc : resp_word(out, password);
}

int redis_login_auth(const struct redis_login *l, struct buf *out, char *error, size_t size)
{
	char bytes[PASSWORD_MAX_BYTES + 3];
	struct span password = span_of(l->url.password);
	size_t len;
	int rc;

	if (l->password_file) {
		rc = read_password(l->password_file, bytes, &len, error, size);
		if (rc < 0) {
			explicit_bzero(bytes, sizeof(bytes));
			return rc;
		}
		password = (struct span){bytes, len};
	}
	if (!password.at)
		return 0;
	rc = write_auth(&l->url, password, out);
	explicit_bzero(bytes, sizeof(bytes));
	if (rc < 0)
		snprintf(error, size, "out of memory");
	return rc < 0 ? rc : 1;
}

int redis_login_select(const struct redis_login *l, struct buf *out)
{
	int rc;

	if (l->url.db == 0)
		return 0;
	rc = resp_command(out, 2);
	if (rc == 0)
		rc = resp_text(out, "SELECT");
	if (rc == 0)
		rc = resp_number(out, l->url.db);
	return rc < 0 ? -ENOMEM : 1;
}

const char *redis_login_closed(const struct redis_login *l, bool said_something)
{
	if (said_something || l->url.path)
		return "Redis closed the connection";
	return l->tls ? "Redis closed the connection after the TLS handshake; if it demands a "
			"certificate of us, tls-auth-clients must be optional or no"
		      : "Redis closed the connection without a word; a port with TLS wants "
			"rediss://";
}

/* ---- from settings ---- */

static int wrong(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, SETTINGS_ERROR_BYTES, format, args);
	va_end(args);
	return -1;
}

/* `user:@host` names a user whose password is in the file. */
static int take_password_file(struct redis_login *l, const struct settings *s, char *error)
{
	const char *path = settings_text(s, SET_REDIS_PASSWORD_FILE);
	char bytes[PASSWORD_MAX_BYTES + 3];
	size_t len;
	int rc;

	if (*path == '\0')
		return 0;
	if (l->url.password && *l->url.password)
		return wrong(error,
			     "redis_password_file (%.300s): there is a password in redis_url "
			     "(%.300s), too; one of them must go",
			     settings_origin(s, SET_REDIS_PASSWORD_FILE),
			     settings_origin(s, SET_REDIS_URL));
	l->password_file = path;
	rc = read_password(path, bytes, &len, error, SETTINGS_ERROR_BYTES);
	explicit_bzero(bytes, sizeof(bytes));
	return rc < 0 ? -1 : 0;
}

static int make_tls(struct redis_login *l, const struct settings *s, char *error)
{
	const char *ca = settings_text(s, SET_REDIS_TLS_CA);
	bool verify = settings_word(s, SET_REDIS_TLS_VERIFY) == WORD_YES;
	char why[SETTINGS_ERROR_BYTES / 2];

	if (!l->url.tls)
		return 0;
	l->tls = tls_context_new(ca, verify, why, sizeof(why));
	return l->tls ? 0
		      : wrong(error, "redis_tls_ca (%.300s): %s",
			      settings_origin(s, SET_REDIS_TLS_CA), why);
}

int redis_login_init(struct redis_login *l, const struct settings *s, char *error)
{
	struct redis_login made = {0};
	const char *why = "out of memory";

	if (redis_url_parse(settings_text(s, SET_REDIS_URL), &made.url, &why) < 0)
		return wrong(error, "redis_url: %s", why);
	if (take_password_file(&made, s, error) < 0 || make_tls(&made, s, error) < 0) {
		redis_login_done(&made);
		return -1;
	}
	*l = made;
	return 0;
}

void redis_login_done(struct redis_login *l)
{
	tls_context_free(l->tls);
	redis_url_done(&l->url);
	*l = (struct redis_login){0};
}

int redis_login_check(const struct settings *s, char *error)
{
	struct redis_login l;

	if (redis_login_init(&l, s, error) < 0)
		return -1;
	redis_login_done(&l);
	return 0;
}

void redis_login_warn(const struct redis_login *l, const struct settings *s)
{
	if (l->tls && settings_word(s, SET_REDIS_TLS_VERIFY) == WORD_NO)
		log_warn("redis_tls_verify = no: Redis's certificate is not checked, so whoever "
			 "stands in between can read and change everything, the password included");
}
