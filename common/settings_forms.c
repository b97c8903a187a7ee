/* settings_forms: see settings_forms.h. Where a module of its own knows the form (endpoint,
 * netmask, redis_url, topic), it is asked; what is left is spelled out here. */
#include "common/settings_forms.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "common/endpoint.h"
#include "common/netmask.h"
#include "common/num.h"
#include "common/redis_url.h"
#include "common/topic.h"

#define OUT_OF_MEMORY "out of memory"

static bool printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return false;
	}
	return true;
}

const char *settings_form_redis_url(const char *value)
{
	struct redis_url url;
	const char *why;
	int rc = redis_url_parse(value, &url, &why);

	if (rc == -ENOMEM)
		return OUT_OF_MEMORY;
	if (rc < 0)
		return why;
	redis_url_done(&url);
	return NULL;
}

const char *settings_form_topic_prefix(const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++) {
		if (!topic_char(value[i]))
			return "it holds a character that topics can't have";
	}
	return len > TOPIC_MAX_BYTES ? "it is longer than 200 bytes" : NULL;
}

const char *settings_form_endpoint(const char *value)
{
	struct endpoint endpoint;
	const char *why;

	return endpoint_parse(value, strlen(value), &endpoint, &why) < 0 ? why : NULL;
}

const char *settings_form_admin_listen(const char *value)
{
	return strcmp(value, "same") == 0 ? NULL : settings_form_endpoint(value);
}

const char *settings_form_sse_path(const char *value)
{
	static const char *const taken[] = {"/health", "/metrics"};

	if (value[0] != '/')
		return "it does not begin with a /";
	if (!printable(value) || strpbrk(value, "?#"))
		return "it holds a ?, a #, a blank or a character that is not ASCII";
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		size_t len = strlen(taken[i]);

		if (strncmp(value, taken[i], len) == 0 && (value[len] == '\0' || value[len] == '/'))
			return "/health and /metrics have their own meaning";
	}
	return strlen(value) > 1023 ? "it is longer than 1023 bytes" : NULL;
}

static const char *form_unix_url(const char *path)
{
	const char *colon = strchr(path, ':');

	if (path[0] != '/' || !colon || colon[1] != '/')
		return "a unix socket is written unix:/path:/uri";
	if ((size_t)(colon - path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "the path of a unix socket can have 107 bytes at most";
	return memchr(path, '{', (size_t)(colon - path))
		       ? "{topic} can't stand in the socket's path"
		       : NULL;
}

/* Topics come from strangers: {topic} may stand in path and query, never where it would choose the
 * host. */
static const char *form_http_url(const char *authority)
{
	size_t len = strcspn(authority, "/?");

	if (len == 0 || authority[0] == ':')
		return "the host is missing";
	if (memchr(authority, '{', len))
		return "{topic} can't stand in the host";
	return NULL;
}

const char *settings_form_auth_url(const char *value)
{
	if (*value == '\0')
		return NULL;
	if (!printable(value) || strchr(value, '#'))
		return "it holds a blank, a # or a character that is not ASCII";
	for (const char *at = strchr(value, '{'); at; at = strchr(at + 1, '{')) {
		if (strncmp(at, "{topic}", 7) != 0)
			return "of words in braces only {topic} is known";
	}
	if (strncasecmp(value, "http://", 7) == 0)
		return form_http_url(value + 7);
	if (strncasecmp(value, "https://", 8) == 0)
		return form_http_url(value + 8);
	if (strncmp(value, "unix:", 5) == 0)
		return form_unix_url(value + 5);
	return "it begins with none of http://, https://, unix:/";
}

const char *settings_form_header_name(const char *value)
{
	static const char *const ours[] = {
		"Connection",
		"Keep-Alive",
		"Proxy-Authenticate",
		"Proxy-Authorization",
		"Proxy-Connection",
		"TE",
		"Trailer",
		"Transfer-Encoding",
		"Upgrade",
		"Host",
		"Content-Length",
		"Content-Type",
		"Expect",
		"X-Original-URI",
		"X-Original-Method",
		"X-Forwarded-For",
		"X-SSE-Topic",
	};

	for (const char *at = value; *at; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("!#$%&'*+-.^_`|~", *at))
			return "it is no header name";
	}
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		if (strcasecmp(value, ours[i]) == 0)
			return "it belongs to one connection, or the streamer writes it itself";
	}
	return NULL;
}

const char *settings_form_cookie_name(const char *value)
{
	for (const char *at = value; *at; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("!#$%&'*+-.^_`|~", *at))
			return "it is no name of a cookie";
	}
	return NULL;
}

const char *settings_form_renew_url(const char *value)
{
	if (*value == '\0')
		return NULL;
	if (!printable(value) || strchr(value, '#'))
		return "it holds a blank, a # or a character that is not ASCII";
	if (strlen(value) > 1023)
		return "it is longer than 1023 bytes";
	if (strncasecmp(value, "http://", 7) == 0)
		return form_http_url(value + 7);
	if (strncasecmp(value, "https://", 8) == 0)
		return form_http_url(value + 8);
	return value[0] == '/' && value[1] != '/' ? NULL
						  : "it begins with none of /, http://, https://";
}

static bool port_valid(const char *text)
{
	uint64_t port;

	return *text == '\0' ||
	       (*text == ':' && num_parse_u64(text + 1, strlen(text + 1), 1, 65535, &port) == 0);
}

/* What browsers send as Origin: compared byte for byte, so it has to be written as they write it.
 */
const char *settings_form_origin(const char *value)
{
	static const char scheme_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
	static const char host_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
	const char *host = strstr(value, "://");
	size_t len;

	if (strcmp(value, "*") == 0)
		return NULL;
	if (!host || host == value || strspn(value, scheme_chars) != (size_t)(host - value))
		return "an origin is written scheme://host or scheme://host:port, in small letters";
	host += 3;
	if (*host == '[') {
		len = 1 + strspn(host + 1, "0123456789abcdef:.");
		len = host[len] == ']' ? len + 1 : 0;
	} else {
		len = strspn(host, host_chars);
	}
	if (len == 0 || !port_valid(host + len))
		return "an origin has a host in small letters, perhaps a port, and no path, not "
		       "even a /";
	return NULL;
}

const char *settings_form_proxy(const char *value)
{
	struct netmask mask;

	return netmask_parse(value, strlen(value), &mask) < 0
		       ? "it is no address, no address/prefix with zeros behind the prefix, and "
			 "not unix"
		       : NULL;
}

const char *settings_form_path(const char *value)
{
	return strlen(value) > 4095 ? "it is longer than 4095 bytes" : NULL;
}
