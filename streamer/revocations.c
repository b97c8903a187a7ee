/* revocations: a hash table of user and topic, either of which may be missing. A question looks for
 * each of the forms that would hold: the user or anybody, and the topic, all topics, or such of its
 * beginnings as have a length that is in use; so it costs the same however many there are. */
#include "streamer/revocations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/keyed_hash.h"

#define KEY_BYTES (CONTROL_USER_BYTES + 1 + TOPIC_MAX_BYTES + 1)

struct revocation {
	double until;
	size_t beginning; /* bytes of its topic with a `*`; 0: it has none */
	UT_hash_handle hh;
	size_t len;
	char key[]; /* user, NUL, topic: neither holds a NUL */
};

void revocations_init(struct revocations *r)
{
	*r = (struct revocations){.seed = keyed_hash_seed()};
}

/* Returns the length. topic is followed by `star` where that is not empty. */
static size_t write_key(char *key, struct span user, struct span topic, const char *star)
{
	size_t len = user.at ? user.len : 0;

	if (len > 0)
		memcpy(key, user.at, len);
	key[len++] = '\0';
	if (topic.len > 0)
		memcpy(key + len, topic.at, topic.len);
	len += topic.len;
	if (*star)
		key[len++] = *star;
	return len;
}

static struct revocation *find(const struct revocations *r, const char *key, size_t len)
{
	struct revocation *found;
	unsigned hash = keyed_hash(r->seed, key, len);

	HASH_FIND_BYHASHVALUE(hh, r->table, key, (unsigned)len, hash, found);
	return found;
}

static size_t key_of(const struct control_selector *who, char *key)
{
	return write_key(key, (struct span){who->user, who->user_len},
			 (struct span){who->topic, who->topic_len}, "");
}

static void drop(struct revocations *r, struct revocation *one)
{
	r->beginnings[one->beginning]--;
	r->n--;
	HASH_DEL(r->table, one);
	free(one);
}

void revocations_done(struct revocations *r)
{
	struct revocation *one, *next;

	HASH_ITER(hh, r->table, one, next) {
		drop(r, one);
	}
}

int revocations_add(struct revocations *r, const struct control_selector *who, double until)
{
	char key[KEY_BYTES];
	size_t len = key_of(who, key);
	struct revocation *one = find(r, key, len);

	if (one) {
		one->until = until > one->until ? until : one->until;
		return 0;
	}
	one = calloc(1, sizeof(*one) + len);
	if (!one)
		return -ENOMEM;
	one->until = until;
	one->len = len;
	memcpy(one->key, key, len);
	if (topic_pattern_open((struct span){who->topic, who->topic_len}))
		one->beginning = who->topic_len;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, r->table, one->key, (unsigned)len,
				    keyed_hash(r->seed, key, len), one);
	if (!one->hh.tbl) {
		free(one);
		return -ENOMEM;
	}
	r->beginnings[one->beginning]++;
	r->n++;
	return 0;
}

void revocations_lift(struct revocations *r, const struct control_selector *who)
{
	char key[KEY_BYTES];
	struct revocation *one = find(r, key, key_of(who, key));

	if (one)
		drop(r, one);
}

static bool holds(const struct revocations *r, struct span user, struct span topic,
		  const char *star, double now)
{
	char key[KEY_BYTES];
	const struct revocation *one = find(r, key, write_key(key, user, topic, star));

	return one && one->until > now;
}

static bool hold_for(const struct revocations *r, struct span user, struct span topic, double now)
{
	if (holds(r, user, topic, "", now) || holds(r, user, (struct span){"", 0}, "", now))
		return true;
	for (size_t len = 0; len <= topic.len; len++)
		if (r->beginnings[len + 1] > 0 &&
		    holds(r, user, (struct span){topic.at, len}, "*", now))
			return true;
	return false;
}

bool revocations_hold(const struct revocations *r, struct span user, struct span topic, double now)
{
	if (r->n == 0)
		return false;
	return hold_for(r, (struct span){NULL, 0}, topic, now) ||
	       (user.at && hold_for(r, user, topic, now));
}

void revocations_expire(struct revocations *r, double now)
{
	struct revocation *one, *next;

	HASH_ITER(hh, r->table, one, next) {
		if (one->until <= now)
			drop(r, one);
	}
}
