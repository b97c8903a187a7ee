/* redis_url: see redis_url.h. One pass from left to right: scheme, userinfo, hosts, path. Owns the
 * strings of the struct that it fills; connects to nothing, and what a form needs before it works
 * is settings' affair. */
#include "common/redis_url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/num.h"
#include "common/span.h"
#include "common/urlenc.h"

#define MAX_DB        65535
#define PORT_REDIS    6379
#define PORT_SENTINEL 26379

static int refuse(const char **why, const char *words)
{
	*why = words;
	return -EINVAL;
}

static int copy_span(struct span s, char **out)
{
	*out = strndup(s.at, s.len);
	return *out ? 0 : -ENOMEM;
}

/* Splits text at the first c: returns what stands before it and leaves what follows in *rest
 * (absent without c). */
static struct span split(struct span text, char c, struct span *rest)
{
	const char *at = text.len ? memchr(text.at, c, text.len) : NULL;

	if (!at) {
		*rest = (struct span){0};
		return text;
	}
	*rest = (struct span){at + 1, (size_t)(text.at + text.len - at - 1)};
	return (struct span){text.at, (size_t)(at - text.at)};
}

static bool skip_prefix(struct span *text, const char *prefix)
{
	size_t len = strlen(prefix);

	if (text->len < len || strncasecmp(text->at, prefix, len) != 0)
		return false;
	text->at += len;
	text->len -= len;
	return true;
}

static int decode(struct span in, char **out, const char **why)
{
	char *text = malloc(in.len + 1);
	if (!text)
		return -ENOMEM;

	long len = urlenc_decode(in, false, text);
	if (len < 0 || memchr(text, '\0', (size_t)len)) {
		free(text);
		return refuse(why,
			      "user and password are percent-encoded: %25 for a %, %40 for an @");
	}
	text[len] = '\0';
	*out = text;
	return 0;
}

static int parse_userinfo(struct span info, struct redis_url *u, const char **why)
{
	struct span password, user = split(info, ':', &password);
	int rc;

	if (!password.at)
		return refuse(why, "before the @ goes :password or user:password");
	if (user.len > 0 && (rc = decode(user, &u->user, why)) < 0)
		return rc;
	/* `redis://:@host`, as some frameworks write it, means no password */
	return user.len + password.len > 0 ? decode(password, &u->password, why) : 0;
}

static bool host_name_valid(struct span host)
{
	for (size_t i = 0; i < host.len; i++) {
		if (!isalnum((unsigned char)host.at[i]) && !strchr(".-_", host.at[i]))
			return false;
	}
	return host.len > 0 && host.len <= 253;
}

static bool address6_valid(struct span host)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in6_addr ignored;

	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = '\0';
	return inet_pton(AF_INET6, text, &ignored) == 1;
}

static int parse_host(struct span text, uint16_t default_port, struct redis_url *u,
		      const char **why)
{
	struct span port = {0}, host;
	uint64_t number = default_port;
	bool bracketed = text.len > 0 && text.at[0] == '[';

	if (u->n_hosts == REDIS_URL_MAX_HOSTS)
		return refuse(why, "at most 16 hosts can be named");
	if (bracketed) {
		struct span behind;

		host = split((struct span){text.at + 1, text.len - 1}, ']', &behind);
		if (!address6_valid(host) || !behind.at || (behind.len > 0 && behind.at[0] != ':'))
			return refuse(why, "an IPv6 address is written [address]:port");
		if (behind.len > 0)
			port = (struct span){behind.at + 1, behind.len - 1};
	} else {
		host = split(text, ':', &port);
		if (!host_name_valid(host))
			return refuse(why, "the host is missing, or is no host name");
	}
	if (port.at && num_parse_u64(port.at, port.len, 1, 65535, &number) < 0)
		return refuse(why, "the port must be a number from 1 to 65535");
	u->hosts[u->n_hosts].port = (uint16_t)number;
	int rc = copy_span(host, &u->hosts[u->n_hosts].name);
	u->n_hosts += rc == 0;
	return rc;
}

static int parse_hosts(struct span list, uint16_t default_port, struct redis_url *u,
		       const char **why)
{
	int rc = 0;

	do {
		struct span host = split(list, ',', &list);

		rc = parse_host(host, default_port, u, why);
	} while (rc == 0 && list.at);
	return rc;
}

static int parse_db(struct span text, struct redis_url *u, const char **why)
{
	uint64_t db;

	if (num_parse_u64(text.at, text.len, 0, MAX_DB, &db) < 0)
		return refuse(why, "the database must be a number from 0 to 65535");
	u->db = (unsigned)db;
	return 0;
}

static int parse_sentinel_path(struct span path, struct redis_url *u, const char **why)
{
	struct span db, master = split(path, '/', &db);
	int rc;

	if (!host_name_valid(master))
		return refuse(why, "Sentinel's name of the master is missing: "
				   "redis+sentinel://host/mymaster/0");
	if ((rc = copy_span(master, &u->master)) < 0)
		return rc;
	return db.at ? parse_db(db, u, why) : 0;
}

static int parse_network(struct span rest, struct redis_url *u, const char **why)
{
	bool sentinel = u->kind == REDIS_SENTINEL;
	struct span path, authority = split(rest, '/', &path);
	const char *at = authority.len ? memrchr(authority.at, '@', authority.len) : NULL;
	int rc;

	if (!at && memchr(rest.at, '@', rest.len))
		return refuse(why, "a / in user or password is written %2F");
	if (at) {
		struct span info = {authority.at, (size_t)(at - authority.at)};

		if ((rc = parse_userinfo(info, u, why)) < 0)
			return rc;
		authority = (struct span){at + 1, authority.len - info.len - 1};
	}
	if ((rc = parse_hosts(authority, sentinel ? PORT_SENTINEL : PORT_REDIS, u, why)) < 0)
		return rc;
	if (sentinel)
		return parse_sentinel_path(path, u, why);
	if (path.len > 0 && (rc = parse_db(path, u, why)) < 0)
		return rc;
	if (u->n_hosts > 1) {
		u->kind = REDIS_CLUSTER;
		if (u->db != 0)
			return refuse(why, "a Cluster has no database but /0");
	}
	return 0;
}

static int parse_unix(struct span rest, struct redis_url *u, const char **why)
{
	struct span query, path = split(rest, '?', &query);
	int rc;

	if (path.len == 0 || path.at[0] != '/' || (path.len > 1 && path.at[1] == '/'))
		return refuse(why, "a unix socket is written unix:/path or unix:/path?db=0");
	if (path.len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return refuse(why, "the path of a unix socket can have 107 bytes at most");
	if ((rc = copy_span(path, &u->path)) < 0)
		return rc;
	if (!query.at)
		return 0;
	if (!skip_prefix(&query, "db="))
		return refuse(why, "behind the path of a unix socket only ?db=N is read");
	return parse_db(query, u, why);
}

static int parse(struct span text, struct redis_url *u, const char **why)
{
	static const char schemes[] = "it begins with none of redis://, rediss://, "
				      "redis+sentinel://, rediss+sentinel://, unix:/";

	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.at[i] <= ' ' || text.at[i] == 0x7f)
			return refuse(why, "a URL holds no blanks");
	}
	if (skip_prefix(&text, "unix:"))
		return parse_unix(text, u, why);
	u->tls = skip_prefix(&text, "rediss");
	if (!u->tls && !skip_prefix(&text, "redis"))
		return refuse(why, schemes);
	if (skip_prefix(&text, "+sentinel"))
		u->kind = REDIS_SENTINEL;
	return skip_prefix(&text, "://") ? parse_network(text, u, why) : refuse(why, schemes);
}

int redis_url_parse(const char *text, struct redis_url *out, const char **why)
{
	struct redis_url u = {0};
	int rc = parse(span_of(text), &u, why);

	if (rc < 0)
		redis_url_done(&u);
	else
		*out = u;
	return rc;
}

struct redis_server redis_url_server(const struct redis_url *u, size_t i)
{
	return (struct redis_server){
		.path = u->path,
		.host = u->hosts[i].name,
		.port = u->hosts[i].port,
	};
}

void redis_url_done(struct redis_url *u)
{
	for (size_t i = 0; i < u->n_hosts; i++)
		free(u->hosts[i].name);
	free(u->path);
	free(u->user);
	if (u->password)
		explicit_bzero(u->password, strlen(u->password));
	free(u->password);
	free(u->master);
	*u = (struct redis_url){0};
}

/* How much of text may be seen: up to a query that could hold anything, a password too. */
static size_t visible_length(const char *text)
{
	const char *query = strchr(text, '?');

	return query && strncmp(query, "?db=", 4) != 0 ? (size_t)(query - text) : strlen(text);
}

/* text with *** for its bytes from..to. */
static char *mask(const char *text, size_t from, size_t to)
{
	const char *rest = text + to;
	size_t visible = visible_length(rest);
	char *masked;
	int n = asprintf(&masked, "%.*s%s%.*s%s", (int)from, text, to > from ? "***" : "",
			 (int)visible, rest, rest[visible] ? "?***" : "");

	return n < 0 ? NULL : masked;
}

char *redis_url_masked(const char *text)
{
	const char *scheme = strstr(text, "://"), *start = scheme ? scheme + 3 : text;
	const char *at = strrchr(start, '@'), *why;
	struct redis_url u;
	bool good = redis_url_parse(text, &u, &why) == 0, has_password = good && u.password;

	if (good)
		redis_url_done(&u);
	if (good && !has_password)
		return strdup(text);
	if (has_password) /* of a good URL the user may be seen */
		start = strchr(start, ':') + 1;
	size_t from = (size_t)(start - text);
	return mask(text, from, at ? (size_t)(at - text) : from);
}
