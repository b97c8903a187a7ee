/* verdicts: a hash table, and a heap by the moments at which they end. A verdict is stored as short
 * as its words are. Owns all of it. */
#include "streamer/verdicts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/keyed_hash.h"

struct kept_verdict {
	struct auth_key key;
	double until;
	size_t place; /* in the heap */
	enum auth_outcome outcome;
	unsigned status;
	double anew; /* auth_verdict.until */
	UT_hash_handle hh;
	char words[]; /* www_authenticate, detail, user, topic, each with a NUL */
};

int verdicts_init(struct verdicts *v, size_t max)
{
	*v = (struct verdicts){.max = max, .seed = keyed_hash_seed()};
	v->heap = calloc(max, sizeof(struct kept_verdict *));
	return v->heap ? 0 : -ENOMEM;
}

static struct kept_verdict *find(const struct verdicts *v, const struct auth_key *key)
{
	struct kept_verdict *k;
	unsigned hash = keyed_hash(v->seed, key->bytes, AUTH_KEY_BYTES);

	HASH_FIND_BYHASHVALUE(hh, v->table, key->bytes, AUTH_KEY_BYTES, hash, k);
	return k;
}

/* ---- the heap ---- */

static void put(struct verdicts *v, size_t place, struct kept_verdict *k)
{
	v->heap[place] = k;
	k->place = place;
}

static void rise(struct verdicts *v, struct kept_verdict *k)
{
	size_t place = k->place;

	while (place > 0 && v->heap[(place - 1) / 2]->until > k->until) {
		put(v, place, v->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put(v, place, k);
}

static void sink(struct verdicts *v, struct kept_verdict *k)
{
	size_t place = k->place, below;

	while ((below = 2 * place + 1) < v->n) {
		if (below + 1 < v->n && v->heap[below + 1]->until < v->heap[below]->until)
			below++;
		if (v->heap[below]->until >= k->until)
			break;
		put(v, place, v->heap[below]);
		place = below;
	}
	put(v, place, k);
}

/* ---- one in, one out ---- */

static void drop(struct verdicts *v, struct kept_verdict *k)
{
	struct kept_verdict *last = v->heap[--v->n];

	HASH_DEL(v->table, k);
	if (last != k) {
		put(v, k->place, last);
		rise(v, last);
		sink(v, last);
	}
	free(k);
}

static char *put_words(char *at, const char *words, size_t len)
{
	memcpy(at, words, len);
	at[len] = '\0';
	return at + len + 1;
}

static struct kept_verdict *make(const struct auth_key *key, struct span topic,
				 const struct auth_verdict *verdict, double until)
{
	size_t challenge = strlen(verdict->www_authenticate), detail = strlen(verdict->detail);
	size_t user = strlen(verdict->user);
	struct kept_verdict *k = calloc(1, sizeof(*k) + challenge + detail + user + topic.len + 4);

	if (!k)
		return NULL;
	k->key = *key;
	k->until = until;
	k->outcome = verdict->outcome;
	k->status = verdict->status;
	k->anew = verdict->until;
	char *at = put_words(k->words, verdict->www_authenticate, challenge);
	at = put_words(at, verdict->detail, detail);
	at = put_words(at, verdict->user, user);
	put_words(at, topic.at, topic.len);
	return k;
}

int verdicts_keep(struct verdicts *v, const struct auth_key *key, struct span topic,
		  const struct auth_verdict *verdict, double until)
{
	struct kept_verdict *before = find(v, key);
	unsigned hash = keyed_hash(v->seed, key->bytes, AUTH_KEY_BYTES);

	if (before)
		drop(v, before);
	if (v->n == v->max && v->heap[0]->until >= until)
		return 0;
	struct kept_verdict *k = make(key, topic, verdict, until);
	if (!k)
		return -ENOMEM;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, v->table, k->key.bytes, AUTH_KEY_BYTES, hash, k);
	if (!k->hh.tbl) {
		free(k);
		return -ENOMEM;
	}
	if (v->n == v->max)
		drop(v, v->heap[0]);
	put(v, v->n++, k);
	rise(v, k);
	return 0;
}

/* The words behind these. */
static const char *next_words(const char *words)
{
	return words + strlen(words) + 1;
}

/* Each came from the member that it goes back to, so it fits. */
static const char *get_words(const char *at, char *out)
{
	const char *next = next_words(at);

	memcpy(out, at, (size_t)(next - at));
	return next;
}

bool verdicts_find(const struct verdicts *v, const struct auth_key *key, double now,
		   struct auth_verdict *out)
{
	const struct kept_verdict *k = find(v, key);

	if (!k || k->until <= now)
		return false;
	*out = (struct auth_verdict){.outcome = k->outcome, .status = k->status, .until = k->anew};
	const char *at = get_words(k->words, out->www_authenticate);
	at = get_words(at, out->detail);
	get_words(at, out->user);
	return true;
}

static bool is_named(const struct kept_verdict *k, const struct control_selector *who)
{
	struct span user = span_of(next_words(next_words(k->words)));
	struct span topic = span_of(next_words(user.at));

	return control_selects_topic(who, topic) &&
	       (user.len == 0 || control_selects_user(who, user));
}

void verdicts_forget(struct verdicts *v, const struct control_selector *who)
{
	struct kept_verdict *k, *next;

	HASH_ITER(hh, v->table, k, next) {
		if (is_named(k, who))
			drop(v, k);
	}
}

void verdicts_expire(struct verdicts *v, double now)
{
	while (v->n > 0 && v->heap[0]->until <= now)
		drop(v, v->heap[0]);
}

void verdicts_done(struct verdicts *v)
{
	while (v->n > 0)
		drop(v, v->heap[0]);
	free(v->heap);
	*v = (struct verdicts){0};
}
