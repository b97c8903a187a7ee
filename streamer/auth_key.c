/* auth_key: digests of what a call of the auth URL shows of a listener. libcrypto does the work;
 * its only failure is memory. Each part goes in with its length, so that no two lists of parts look
 * alike. */
#include "streamer/auth_key.h"

#include <errno.h>
#include <openssl/evp.h>
#include "common/urlenc.h"
#include "streamer/ask.h"
#include "streamer/auth_policy.h"

struct digest {
	EVP_MD_CTX *md;
	bool good;
};

static void begin(struct digest *d)
{
	d->md = EVP_MD_CTX_new();
	d->good = d->md && EVP_DigestInit_ex(d->md, EVP_sha256(), NULL) == 1;
}

static void add(struct digest *d, struct span part)
{
	uint64_t len = part.at ? part.len + 1 : 0; /* absent is not empty */

	d->good = d->good && EVP_DigestUpdate(d->md, &len, sizeof(len)) == 1;
	if (part.len > 0)
		d->good = d->good && EVP_DigestUpdate(d->md, part.at, part.len) == 1;
}

static int finish(struct digest *d, struct auth_key *out)
{
	struct auth_key made;
	bool good = d->good && EVP_DigestFinal_ex(d->md, made.bytes, NULL) == 1;

	EVP_MD_CTX_free(d->md);
	if (!good)
		return -ENOMEM;
	*out = made;
	return 0;
}

/* ---- parts ---- */

static struct span forwarded(const struct ask *ask, const char *name)
{
	for (size_t i = 0; i < ask->n_forward; i++)
		if (http_name_equal(ask->forward[i].name, span_of(name)))
			return ask->forward[i].value;
	return (struct span){NULL, 0};
}

/* Parameters that say what to send; any other way to write them counts as a stranger's. */
static bool is_ours(struct span name)
{
	static const char *const names[] = {
		"topic",         "topics",      "topic[]",     "events",        "wait",
		"last_event_id", "lastEventId", "lastEventID", "Last-Event-ID",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

/* Returns whether there was anything. */
static bool add_query(struct digest *d, struct span uri)
{
	const char *mark = memchr(uri.at, '?', uri.len);
	struct urlenc_walk walk;
	struct span name, value;
	bool found = false;

	if (!mark)
		return false;
	urlenc_walk(&walk, mark + 1, uri.len - (size_t)(mark + 1 - uri.at));
	while (urlenc_next(&walk, &name, &value)) {
		if (is_ours(name))
			continue;
		add(d, name);
		add(d, value);
		found = true;
	}
	return found;
}

/* All that goes under that name; the auth URL may be shown our own and the listener's. */
static void add_named(struct digest *d, const struct ask *ask, const char *client_ip,
		      const char *name)
{
	add(d, span_of(name));
	add(d, forwarded(ask, name));
	if (strcasecmp(name, "X-Forwarded-For") == 0)
		add(d, span_of(client_ip));
	else if (strcasecmp(name, "X-Original-URI") == 0)
		add(d, ask->uri);
	else if (strcasecmp(name, "X-Original-Method") == 0)
		add(d, ask->method);
}

static int read_credentials(const struct ask *ask, const char *client_ip,
			    const struct auth_vary *vary, struct auth_who *who)
{
	struct span authorization = forwarded(ask, "Authorization");
	struct span cookie = forwarded(ask, "Cookie");
	struct digest d;

	begin(&d);
	add(&d, authorization);
	add(&d, cookie);
	add(&d, forwarded(ask, "Origin"));
	who->identified = add_query(&d, ask->uri) || authorization.at || cookie.at;
	add(&d, (struct span){NULL, 0});
	for (size_t i = 0; i < vary->n; i++)
		add_named(&d, ask, client_ip, vary->names[i]);
	who->n_vary = vary->n;
	return finish(&d, &who->credentials);
}

static int read_call(const struct ask *ask, const char *client_ip, struct auth_who *who)
{
	const char *mark = memchr(ask->uri.at, '?', ask->uri.len);
	size_t path_len = mark ? (size_t)(mark - ask->uri.at) : ask->uri.len;
	struct digest d;

	begin(&d);
	add(&d, (struct span){(const char *)who->credentials.bytes, AUTH_KEY_BYTES});
	add(&d, ask->method);
	add(&d, (struct span){ask->uri.at, path_len});
	add(&d, span_of(client_ip));
	for (size_t i = 0; i < ask->n_forward; i++) {
		if (http_name_equal(ask->forward[i].name, span_of("X-Request-Id")))
			continue;
		add(&d, ask->forward[i].name);
		add(&d, ask->forward[i].value);
	}
	return finish(&d, &who->call);
}

int auth_who_read(const struct ask *ask, const char *client_ip, const struct auth_vary *vary,
		  struct auth_who *out)
{
	struct auth_who who;
	int err = read_credentials(ask, client_ip, vary, &who);

	err = err ? err : read_call(ask, client_ip, &who);
	if (!err)
		*out = who;
	return err;
}

int auth_key_for(const struct auth_key *of, const struct span *topics, const uint16_t *which,
		 size_t n, struct auth_key *out)
{
	struct digest d;

	begin(&d);
	add(&d, (struct span){(const char *)of->bytes, AUTH_KEY_BYTES});
	for (size_t i = 0; i < n; i++)
		add(&d, topics[which[i]]);
	return finish(&d, out);
}
