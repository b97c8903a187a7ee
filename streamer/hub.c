/* hub: topic -> subscribers. Owns the topics; a subscription belongs to its listener and is linked
 * both ways, so that leaving costs the same however many listen. First in and last out become calls
 * of hub_ops, a lingering last one is forgotten when somebody comes back. Formats nothing, sends
 * nothing, knows no client. */
#include "streamer/hub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC_OF_LINGER(d) ((struct topic *)((char *)(d)-offsetof(struct topic, linger)))

void hub_init(struct hub *h, double linger_seconds, const struct hub_ops *ops, void *arg)
{
	memset(h, 0, sizeof(*h));
	h->seed = keyed_hash_seed();
	h->ops = ops;
	h->arg = arg;
	deadline_list_init(&h->lingering, linger_seconds);
}

static void topic_free(struct hub *h, struct topic *t)
{
	deadline_stop(&t->linger);
	HASH_DEL(h->topics, t);
	free(t);
}

void hub_done(struct hub *h)
{
	while (h->topics)
		topic_free(h, h->topics);
}

struct topic *hub_find(const struct hub *h, struct span name)
{
	struct topic *t;
	HASH_FIND_BYHASHVALUE(hh, h->topics, name.at, (unsigned)name.len,
			      keyed_hash(h->seed, name.at, name.len), t);
	return t;
}

static struct topic *topic_new(struct hub *h, struct span name)
{
	struct topic *t = calloc(1, sizeof(*t) + name.len + 1);
	if (!t)
		return NULL;
	memcpy(t->name, name.at, name.len);
	t->name_len = name.len;
	t->serial = ++h->next_serial;
	deadline_init(&t->linger);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, h->topics, t->name, (unsigned)name.len,
				    keyed_hash(h->seed, name.at, name.len), t);
	if (!t->hh.tbl) {
		free(t);
		return NULL;
	}
	return t;
}

/* Puts s before `next`, NULL: at the end. */
static void link_before(struct topic *t, struct subscription *s, struct subscription *next)
{
	s->next = next;
	s->prev = next ? next->prev : t->last;
	*(s->prev ? &s->prev->next : &t->first) = s;
	*(next ? &next->prev : &t->last) = s;
}

static void unlink_from(struct topic *t, struct subscription *s)
{
	if (t->aside == s)
		t->aside = s->next;
	*(s->prev ? &s->prev->next : &t->first) = s->next;
	*(s->next ? &s->next->prev : &t->last) = s->prev;
	s->prev = s->next = NULL;
}

void hub_set_aside(struct subscription *s)
{
	struct topic *t = s->topic;

	unlink_from(t, s);
	link_before(t, s, NULL);
	if (!t->aside)
		t->aside = s;
}

void hub_take_back(struct subscription *s)
{
	struct topic *t = s->topic;

	unlink_from(t, s);
	link_before(t, s, t->aside);
}

void hub_move(struct subscription *from, struct subscription *to)
{
	struct topic *t = from->topic;

	*to = *from;
	from->topic = NULL;
	from->prev = from->next = NULL;
	if (!t)
		return;
	*(to->prev ? &to->prev->next : &t->first) = to;
	*(to->next ? &to->next->prev : &t->last) = to;
	if (t->aside == from)
		t->aside = to;
}

int hub_join(struct hub *h, struct span name, struct subscription *s, void *listener, bool several)
{
	struct topic *t = hub_find(h, name);
	bool fresh = !t;

	if (fresh && !(t = topic_new(h, name)))
		return -ENOMEM;
	s->topic = t;
	s->listener = listener;
	link_before(t, s, several ? t->first : t->aside);
	t->listeners++;
	deadline_stop(&t->linger);
	if (fresh)
		h->ops->wanted(h->arg, t);
	return 0;
}

void hub_leave(struct hub *h, struct subscription *s, double now)
{
	struct topic *t = s->topic;
	if (!t)
		return;
	unlink_from(t, s);
	s->topic = NULL;
	if (--t->listeners == 0)
		deadline_start(&h->lingering, &t->linger, now);
}

void hub_expire(struct hub *h, double now)
{
	struct deadline *d;
	while ((d = deadline_pop(&h->lingering, now))) {
		struct topic *t = TOPIC_OF_LINGER(d);
		h->ops->unwanted(h->arg, t);
		topic_free(h, t);
	}
}
