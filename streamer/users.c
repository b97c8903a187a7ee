/* users: a hash table of names, each with a list through its entries. A user is there as long as
 * something is his. */
#include "streamer/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/keyed_hash.h"

struct user {
	struct user_entry *first;
	UT_hash_handle hh;
	size_t len;
	char name[];
};

void users_init(struct users *u)
{
	*u = (struct users){.seed = keyed_hash_seed()};
}

static struct user *find(const struct users *u, struct span name)
{
	struct user *found;
	unsigned hash = keyed_hash(u->seed, name.at, name.len);

	HASH_FIND_BYHASHVALUE(hh, u->table, name.at, (unsigned)name.len, hash, found);
	return found;
}

static struct user *add(struct users *u, struct span name)
{
	struct user *made = calloc(1, sizeof(*made) + name.len);
	unsigned hash = keyed_hash(u->seed, name.at, name.len);

	if (!made)
		return NULL;
	made->len = name.len;
	memcpy(made->name, name.at, name.len);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, u->table, made->name, (unsigned)name.len, hash, made);
	if (made->hh.tbl)
		return made;
	free(made);
	return NULL;
}

int users_join(struct users *u, struct user_entry *e, struct span name)
{
	struct user *user = find(u, name);

	if (!user && !(user = add(u, name)))
		return -ENOMEM;
	e->user = user;
	e->prev = NULL;
	e->next = user->first;
	if (e->next)
		e->next->prev = e;
	user->first = e;
	return 0;
}

void users_leave(struct users *u, struct user_entry *e)
{
	struct user *user = e->user;

	if (!user)
		return;
	*(e->prev ? &e->prev->next : &user->first) = e->next;
	if (e->next)
		e->next->prev = e->prev;
	*e = (struct user_entry){.user = NULL};
	if (user->first)
		return;
	HASH_DEL(u->table, user);
	free(user);
}

struct user_entry *users_first(const struct users *u, struct span name)
{
	const struct user *user = find(u, name);
	return user ? user->first : NULL;
}

struct span users_name(const struct user_entry *e)
{
	return e->user ? (struct span){e->user->name, e->user->len} : (struct span){NULL, 0};
}
