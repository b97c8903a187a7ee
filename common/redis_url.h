/* redis_url: every form of the setting redis_url. */
#ifndef TIDINGS_COMMON_REDIS_URL_H
#define TIDINGS_COMMON_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum redis_kind {
	REDIS_SINGLE, /* redis://[[user]:password@]host[:port][/db], rediss://…, unix:/path[?db=N]
		       */
	REDIS_CLUSTER,  /* redis://a:7001,b:7002/0 */
	REDIS_SENTINEL, /* redis+sentinel://h:26379,h2:26379/mymaster[/0], rediss+sentinel://… */
};

#define REDIS_URL_MAX_HOSTS 16

struct redis_url {
	enum redis_kind kind;
	bool tls;
	char *path; /* of a unix socket; NULL: hosts */
	struct {
		char *name; /* host name or address, without the brackets of IPv6 */
		uint16_t port;
	} hosts[REDIS_URL_MAX_HOSTS];
	size_t n_hosts;
	char *user;     /* NULL: the default user */
	char *password; /* NULL: none. Percent-decoded, as user is. */
	char *master;   /* Sentinel's name of the master */
	unsigned db;    /* 0..65535 */
};

/* Returns 0, or -EINVAL with *why set to static words for people (never holding the password), or
 * -ENOMEM. *out is written on success alone and ended by redis_url_done. Default port 6379,
 * Sentinel 26379. */
int redis_url_parse(const char *text, struct redis_url *out, const char **why);

void redis_url_done(struct redis_url *u);

/* One server to connect to, with the user, password, database and TLS of some URL. */
struct redis_server {
	const char *path; /* of a unix socket; NULL: host and port */
	const char *host; /* name or address, without the brackets of IPv6 */
	uint16_t port;
};

/* The i-th that the URL names; views into u. */
struct redis_server redis_url_server(const struct redis_url *u, size_t i);

/* The same URL with its password replaced by ***, for logs and --print-config; NULL when out of
 * memory. The caller frees it. Text that is no URL comes back with everything between "://" and the
 * last '@' replaced. */
char *redis_url_masked(const char *text);

#endif
