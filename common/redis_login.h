/* redis_login: how to get in at Redis: user, password, database and TLS, for every connection of a
 * program. Travels in place of the URL, which it holds. */
#ifndef TIDINGS_COMMON_REDIS_LOGIN_H
#define TIDINGS_COMMON_REDIS_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include "common/redis_url.h"

struct buf;
struct settings;
struct tls_context;

struct redis_login {
	struct redis_url url;
	const char *password_file; /* NULL: the URL has the password, or there is none */
	struct tls_context *tls;   /* NULL: plain */
};

/* Reads redis_url, redis_password_file and redis_tls_*, of settings that were checked and outlive
 * *l, and tries what can be tried without Redis: the files. Returns 0, or -1 with a line for people
 * in error[SETTINGS_ERROR_BYTES]; *l is written on success alone. */
int redis_login_init(struct redis_login *l, const struct settings *s, char *error);
void redis_login_done(struct redis_login *l);

/* The same as a check alone, for options_read_checked. */
int redis_login_check(const struct settings *s, char *error);

/* One line on the log when the settings leave the connection open to whoever stands in between. */
void redis_login_warn(const struct redis_login *l, const struct settings *s);

/* Appends AUTH to out; the password is read anew from its file, so that it can be changed there.
 * Returns 1, or 0 when there is no password, or a negative errno with words in error[size]. Whoever
 * sent it wipes out. */
int redis_login_auth(const struct redis_login *l, struct buf *out, char *error, size_t size);

/* Words for a connection that Redis closed: what to look at when it did so without having said
 * anything. */
const char *redis_login_closed(const struct redis_login *l, bool said_something);

/* Appends SELECT; returns 1, or 0 when the database is 0, or -ENOMEM. */
int redis_login_select(const struct redis_login *l, struct buf *out);

#endif
