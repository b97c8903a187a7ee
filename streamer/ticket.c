/* ticket: the signature is cjose's to check, with a key whose algorithm is fixed (ticket_keys.h);
 * the claims are read here. The key is chosen by the header's kid; the header's alg only has to be
 * the key's own. */
#include "streamer/ticket.h"

#include <cjose/cjose.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include "common/jsonspan.h"
#include "common/num.h"
#include "common/topic.h"
#include "common/utf8.h"
#include "streamer/ticket_form.h"
#include "streamer/ticket_keys.h"

#define JSON_MAX_DEPTH 8
#define TIME_MAX       253402300799ull /* the year 9999 */

static enum ticket_status refuse(struct ticket *t, enum ticket_status status, const char *why)
{
	t->why = why;
	return status;
}

static enum ticket_status bad(struct ticket *t, const char *why)
{
	return refuse(t, TICKET_BAD, why);
}

/* ---- JSON ---- */

struct member {
	const char *name;
	struct span *value; /* is given its JSON; at == NULL: it is not there */
};

/* Finds the members of an object. Returns NULL or what is wrong. */
static const char *find_members(struct span json, const struct member *members, size_t n)
{
	struct jsonspan_walk w;
	struct span name, value;

	if (jsonspan_check(json.at, json.len, JSON_MAX_DEPTH, NULL) != JSONSPAN_OK ||
	    !jsonspan_walk(&w, jsonspan_trim(json.at, json.len)) || !w.object)
		return "its header or its claims are no JSON object";
	while (jsonspan_next(&w, &name, &value) == JSONSPAN_OK) {
		size_t i = 0;

		while (i < n && !jsonspan_string_is(name, members[i].name))
			i++;
		if (i < n && members[i].value->at)
			return "a name stands in it twice";
		if (i < n)
			*members[i].value = value;
	}
	return NULL;
}

/* ---- the signature ---- */

struct header {
	struct span alg, kid, crit; /* JSON */
};

static const char *read_header(struct header *h, struct span json)
{
	const struct member members[] = {{"alg", &h->alg}, {"kid", &h->kid}, {"crit", &h->crit}};
	const char *why = find_members(json, members, sizeof(members) / sizeof(members[0]));

	if (why)
		return why;
	if (h->crit.at)
		return "its header demands an extension (crit)";
	if (!h->alg.at || !jsonspan_is_string(h->alg))
		return "its header names no algorithm";
	return h->kid.at && !jsonspan_is_string(h->kid) ? "its kid is no text" : NULL;
}

/* How long a signature must be, so that cjose gets no other to look at. */
static bool signature_fits(const struct ticket_key *k, struct span token)
{
	const char *dot = memrchr(token.at, '.', token.len);
	size_t letters = (size_t)(token.at + token.len - dot) - 1;
	size_t bytes = 32;
	cjose_err err;

	if (strcmp(k->alg, "RS256") == 0)
		bytes = (cjose_jwk_get_keysize(k->jwk, &err) + 7) / 8;
	else if (strcmp(k->alg, "ES256") == 0)
		bytes = 64;
	return letters == (bytes * 4 + 2) / 3;
}

static bool may_have_signed(const struct ticket_key *k, const struct header *h, struct span token)
{
	return jsonspan_string_is(h->alg, k->alg) &&
	       (!h->kid.at || jsonspan_string_is(h->kid, k->kid)) && signature_fits(k, token);
}

static const char *check_keys(const struct ticket_keys *keys, const struct header *h,
			      cjose_jws_t *jws, struct span token)
{
	cjose_err err;

	for (size_t i = 0; i < keys->n; i++)
		if (may_have_signed(&keys->keys[i], h, token) &&
		    cjose_jws_verify(jws, keys->keys[i].jwk, &err))
			return NULL;
	return "no key of that kid and algorithm has signed it";
}

/* Returns NULL when a key has signed it, or what is wrong. */
static const char *check_signature(const struct ticket_keys *keys, cjose_jws_t *jws,
				   struct span token)
{
	const char *dot = memchr(token.at, '.', token.len), *why = "its header can't be read";
	struct header h = {0};
	uint8_t *bytes = NULL;
	size_t len = 0;
	cjose_err err;

	if (cjose_base64url_decode(token.at, (size_t)(dot - token.at), &bytes, &len, &err) && bytes)
		why = read_header(&h, (struct span){(const char *)bytes, len});
	if (!why)
		why = check_keys(keys, &h, jws, token);
	free(bytes);
	return why;
}

/* ---- the claims ---- */

struct claims {
	struct span topics, sub, cursor, exp, nbf, iat; /* JSON */
};

static const char *find_claims(struct claims *c, struct span json)
{
	const struct member members[] = {{"topics", &c->topics}, {"sub", &c->sub},
					 {"cursor", &c->cursor}, {"exp", &c->exp},
					 {"nbf", &c->nbf},       {"iat", &c->iat}};

	return find_members(json, members, sizeof(members) / sizeof(members[0]));
}

/* NumericDate of RFC 7519: seconds, perhaps with a fraction, which is dropped. */
static bool read_time(struct span json, uint64_t *seconds)
{
	const char *dot = memchr(json.at, '.', json.len);
	size_t whole = dot ? (size_t)(dot - json.at) : json.len;
	uint64_t ignored;

	for (size_t i = whole + 1; i < json.len; i++)
		if (num_parse_u64(json.at + i, 1, 0, 9, &ignored) != 0)
			return false;
	return num_parse_u64(json.at, whole, 0, TIME_MAX, seconds) == 0;
}

static struct span take_text(char **out, struct span json)
{
	struct span s = {*out, jsonspan_unescape(json, *out)};

	*out += s.len;
	return s;
}

static const char *read_topics(struct ticket *t, struct span json, char **out)
{
	struct jsonspan_walk w;
	struct span item;

	if (!json.at)
		return "it has no topics";
	if (!jsonspan_walk(&w, json) || w.object)
		return "its topics are no array";
	while (jsonspan_next(&w, NULL, &item) == JSONSPAN_OK) {
		if (t->n_topics == TICKET_MAX_TOPICS)
			return "it has too many topics";
		if (!jsonspan_is_string(item))
			return "one of its topics is no string";
		struct span pattern = take_text(out, item);
		if (!topic_pattern_valid(pattern) || topic_reserved(pattern.at, pattern.len))
			return "one of its topics is neither a topic nor prefix*";
		t->topics[t->n_topics++] = pattern;
	}
	return NULL;
}

static const char *read_texts(struct ticket *t, const struct claims *c, char **out)
{
	if ((c->sub.at && !jsonspan_is_string(c->sub)) ||
	    (c->cursor.at && !jsonspan_is_string(c->cursor)))
		return "its sub or cursor is no string";
	if (c->sub.at)
		t->sub = take_text(out, c->sub);
	if (c->cursor.at)
		t->cursor = take_text(out, c->cursor);
	if (t->sub.len > TICKET_SUB_MAX_BYTES || utf8_has_control(t->sub.at, t->sub.len))
		return "its sub is longer than 256 bytes, or holds control characters";
	return NULL;
}

static enum ticket_status check_times(struct ticket *t, const struct claims *c, uint64_t now)
{
	uint64_t from = 0, made = 0;

	if (!c->exp.at)
		return bad(t, "it has no exp");
	if (!read_time(c->exp, &t->exp) || (c->nbf.at && !read_time(c->nbf, &from)) ||
	    (c->iat.at && !read_time(c->iat, &made)))
		return bad(t, "its exp, nbf or iat is no time");
	if (from > now + TICKET_LEEWAY_SECONDS || made > now + TICKET_LEEWAY_SECONDS)
		return refuse(t, TICKET_EARLY, "it is not valid yet");
	if (t->exp <= now)
		return refuse(t, TICKET_EXPIRED, "it has expired");
	return TICKET_GOOD;
}

static enum ticket_status read_claims(struct ticket *t, struct span json, uint64_t now)
{
	struct claims c = {0};
	const char *why = find_claims(&c, json);

	if (why)
		return bad(t, why);
	t->text = malloc(json.len + 1);
	t->topics = calloc(TICKET_MAX_TOPICS, sizeof(*t->topics));
	if (!t->text || !t->topics)
		return refuse(t, TICKET_NOMEM, "out of memory");
	char *out = t->text;
	why = read_topics(t, c.topics, &out);
	why = why ? why : read_texts(t, &c, &out);
	return why ? bad(t, why) : check_times(t, &c, now);
}

/* ---- all of it ---- */

enum ticket_status ticket_read(struct ticket *t, const struct ticket_keys *keys, struct span token,
			       uint64_t now)
{
	cjose_err err;
	uint8_t *bytes = NULL;
	size_t len = 0;

	*t = (struct ticket){0};
	if (token.len > TICKET_MAX_BYTES)
		return bad(t, "it is longer than 4096 bytes");
	if (!ticket_form_fits(token))
		return bad(t, "it is no signed token (JWS)");
	cjose_jws_t *jws = cjose_jws_import(token.at, token.len, &err);
	if (!jws)
		return bad(t, "it can't be read, or its algorithm is not known");
	const char *why = check_signature(keys, jws, token);
	if (!why && !cjose_jws_get_plaintext(jws, &bytes, &len, &err))
		why = "it has no claims";
	enum ticket_status status =
		why ? bad(t, why) : read_claims(t, (struct span){(const char *)bytes, len}, now);
	cjose_jws_release(jws);
	ERR_clear_error(); /* or TLS would take what is left of a wrong signature for its own */
	return status;
}

void ticket_done(struct ticket *t)
{
	free(t->topics);
	free(t->text);
	*t = (struct ticket){0};
}

bool ticket_allows(const struct ticket *t, struct span topic)
{
	for (size_t i = 0; i < t->n_topics; i++)
		if (topic_pattern_fits(t->topics[i], topic))
			return true;
	return false;
}
