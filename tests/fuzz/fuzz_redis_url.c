/* fuzz_redis_url: a URL is read in full or refused with words; masked, it reads as the same URL
 * with another password. */
#include <errno.h>
#include <string.h>

#include "common/redis_url.h"
#include "tests/fuzz/fuzz.h"

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void check_masked(const char *text, const struct redis_url *u)
{
	char *masked = redis_url_masked(text);
	struct redis_url m;
	const char *why;

	MUST(masked && redis_url_parse(masked, &m, &why) == 0);
	MUST(m.kind == u->kind && m.tls == u->tls && m.db == u->db && m.n_hosts == u->n_hosts);
	for (size_t i = 0; i < u->n_hosts; i++)
		MUST(same(m.hosts[i].name, u->hosts[i].name) &&
		     m.hosts[i].port == u->hosts[i].port);
	MUST(same(m.path, u->path) && same(m.user, u->user) && same(m.master, u->master));
	MUST(same(m.password, u->password && *u->password ? "***" : u->password));
	redis_url_done(&m);
	free(masked);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = strndup((const char *)bytes, len), *masked;
	const char *why = NULL;
	struct redis_url u;

	MUST(text);
	if (redis_url_parse(text, &u, &why) == 0) {
		MUST(u.path ? u.n_hosts == 0 : u.n_hosts > 0 && u.hosts[0].port != 0);
		check_masked(text, &u);
		redis_url_done(&u);
	} else {
		masked = redis_url_masked(text);
		MUST(why && masked);
		free(masked);
	}
	free(text);
	return 0;
}
