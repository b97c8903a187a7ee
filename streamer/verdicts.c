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
	UT_hash_handle hh;
	char words[]; /* www_authenticate, NUL, detail, NUL */
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

static struct kept_verdict *make(const struct auth_key *key, const struct auth_verdict *verdict,
				 double until)
{
	size_t challenge = strlen(verdict->www_authenticate) + 1;
	size_t detail = strlen(verdict->detail) + 1;
	struct kept_verdict *k = calloc(1, sizeof(*k) + challenge + detail);

	if (!k)
		return NULL;
	k->key = *key;
	k->until = until;
	k->outcome = verdict->outcome;
	k->status = verdict->status;
	memcpy(k->words, verdict->www_authenticate, challenge);
	memcpy(k->words + challenge, verdict->detail, detail);
	return k;
}

int verdicts_keep(struct verdicts *v, const struct auth_key *key,
		  const struct auth_verdict *verdict, double until)
{
	struct kept_verdict *before = find(v, key);
	unsigned hash = keyed_hash(v->seed, key->bytes, AUTH_KEY_BYTES);

	if (before)
		drop(v, before);
	if (v->n == v->max && v->heap[0]->until >= until)
		return 0;
	struct kept_verdict *k = make(key, verdict, until);
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

bool verdicts_find(const struct verdicts *v, const struct auth_key *key, double now,
		   struct auth_verdict *out)
{
	const struct kept_verdict *k = find(v, key);

	if (!k || k->until <= now)
		return false;
	*out = (struct auth_verdict){.outcome = k->outcome, .status = k->status};
	size_t challenge = strlen(k->words) + 1;
	memcpy(out->www_authenticate, k->words, challenge);
	memcpy(out->detail, k->words + challenge, strlen(k->words + challenge) + 1);
	return true;
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
