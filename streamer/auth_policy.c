/* auth_policy: reads Cache-Control, Age and Vary. Owns nothing; keeping verdicts is
 * auth_memory.c's.
 */
#include "streamer/auth_policy.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include "common/num.h"

#define SECONDS_MAX INT32_MAX /* RFC 9111 section 1.2.2 */

static bool same_name(struct span name, const char *as)
{
	return name.len == strlen(as) && strncasecmp(name.at, as, name.len) == 0;
}

/* Takes the next member off a list; commas within quotes separate nothing. False at the end;
 * *broken when a quote is never closed. */
static bool cut_member(struct span *rest, struct span *member, bool *broken)
{
	bool quoted = false;
	size_t i = 0;

	if (!rest->at)
		return false;
	for (; i < rest->len && (quoted || rest->at[i] != ','); i++) {
		if (rest->at[i] == '"')
			quoted = !quoted;
		else if (quoted && rest->at[i] == '\\' && i + 1 < rest->len)
			i++;
	}
	*broken |= quoted;
	*member = span_trim((struct span){rest->at, i});
	*rest = i < rest->len ? (struct span){rest->at + i + 1, rest->len - i - 1}
			      : (struct span){NULL, 0};
	return true;
}

/* A number of seconds, in quotes or without; what is none is 0: stale at once. */
static uint32_t read_seconds(struct span text)
{
	uint64_t seconds = 0;

	if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
		text = (struct span){text.at + 1, text.len - 2};
	if (!text.at)
		return 0;
	int err = num_parse_u64(text.at, text.len, 0, SECONDS_MAX, &seconds);
	return err == -ERANGE ? SECONDS_MAX : err ? 0 : (uint32_t)seconds;
}

struct reading {
	bool given, refused, is_private;
	uint32_t limit; /* the smallest number of seconds */
};

static void read_directive(struct reading *rd, struct span directive)
{
	const char *equals = memchr(directive.at, '=', directive.len);
	size_t len = equals ? (size_t)(equals - directive.at) : directive.len;
	struct span name = span_trim((struct span){directive.at, len});
	struct span value = {NULL, 0};

	if (equals)
		value = span_trim((struct span){equals + 1, directive.len - len - 1});
	if (same_name(name, "no-store") || same_name(name, "no-cache")) {
		rd->refused = true;
	} else if (same_name(name, "private")) {
		rd->is_private = true;
	} else if (same_name(name, "max-age") || same_name(name, "s-maxage")) {
		uint32_t seconds = read_seconds(value);
		rd->given |= same_name(name, "max-age");
		if (seconds < rd->limit)
			rd->limit = seconds;
	}
}

struct auth_policy auth_policy_read(struct span cache_control, struct span age)
{
	struct reading rd = {.limit = SECONDS_MAX};
	struct auth_policy p = {0};
	struct span directive;
	uint64_t old = 0;

	while (cut_member(&cache_control, &directive, &rd.refused))
		read_directive(&rd, directive);
	if (age.at && num_parse_u64(age.at, age.len, 0, SECONDS_MAX, &old) != 0)
		return p;
	p.is_private = rd.is_private;
	if (rd.given && !rd.refused && old < rd.limit)
		p.seconds = rd.limit - (uint32_t)old;
	return p;
}

/* ---- Vary ---- */

/* Every verdict is kept apart by these, whatever its answer says. */
static bool counts_always(struct span name)
{
	return same_name(name, "Authorization") || same_name(name, "Cookie") ||
	       same_name(name, "Origin") || same_name(name, "X-SSE-Topic");
}

static bool is_learnt(const struct auth_vary *v, struct span name)
{
	for (size_t i = 0; i < v->n; i++)
		if (same_name(name, v->names[i]))
			return true;
	return false;
}

/* RFC 9110 section 5.6.2. A star is one, too. */
static bool is_token(struct span name)
{
	static const char signs[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
		if (!plain && !memchr(signs, c, sizeof(signs) - 1))
			return false;
	}
	return true;
}

static bool learn_name(struct auth_vary *v, struct span name)
{
	if (name.len == 0 || counts_always(name) || is_learnt(v, name))
		return true;
	if (span_is(name, "*") || !is_token(name))
		return false;
	if (name.len >= AUTH_VARY_NAME_BYTES || v->n == AUTH_VARY_MAX)
		return false;
	memcpy(v->names[v->n], name.at, name.len);
	v->names[v->n++][name.len] = '\0';
	return true;
}

bool auth_vary_learn(struct auth_vary *v, struct span vary)
{
	struct auth_vary grown = *v;
	struct span name;
	bool broken = false, good = true;

	while (good && cut_member(&vary, &name, &broken))
		good = learn_name(&grown, name);
	if (!good || broken)
		return false;
	*v = grown;
	return true;
}
