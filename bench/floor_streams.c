/* floor_streams: who listens to what, and the sending: see floor.h. */
#include "bench/floor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- topics ---- */

static uint32_t hash(const char *name, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return h;
}

uint32_t floor_topic(struct floor *f, const char *name, size_t len)
{
	uint32_t at = hash(name, len) % (2 * FLOOR_TOPICS);
	struct floor_topic *t;

	if (len >= FLOOR_NAME)
		floor_die("a topic's name is too long");
	for (; f->buckets[at]; at = (at + 1) % (2 * FLOOR_TOPICS)) {
		t = &f->topics[f->buckets[at] - 1];
		if (strlen(t->name) == len && memcmp(t->name, name, len) == 0)
			return f->buckets[at] - 1;
	}
	if (f->n_topics == FLOOR_TOPICS)
		floor_die("too many topics");
	t = &f->topics[f->n_topics++];
	memcpy(t->name, name, len);
	f->buckets[at] = f->n_topics;
	if (f->o->redis)
		floor_source_subscribe(f, t->name);
	return f->n_topics - 1;
}

/* ---- who listens ---- */

static uint32_t take_sub(struct floor *f)
{
	uint32_t i = f->free_sub;

	if (i) {
		f->free_sub = f->subs[i].next;
		return i;
	}
	if (f->used_subs + 1 == FLOOR_SUBS)
		floor_die("too many topics of streams");
	return ++f->used_subs;
}

static void join(struct floor *f, int fd, uint32_t topic)
{
	struct floor_topic *t = &f->topics[topic];
	uint32_t sub = take_sub(f);

	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 4;
		t->members = realloc(t->members, t->room * sizeof(*t->members));
		if (!t->members)
			floor_die("out of memory");
	}
	f->subs[sub] = (struct floor_sub){topic, t->n, f->subs_of[fd]};
	f->subs_of[fd] = sub;
	t->members[t->n++] = (struct floor_member){fd, sub};
}

void floor_join(struct floor *f, int fd, const char *names, size_t len)
{
	const char *end = names + len;

	while (names < end) {
		const char *comma = memchr(names, ',', (size_t)(end - names));

		if (!comma)
			comma = end;
		join(f, fd, floor_topic(f, names, (size_t)(comma - names)));
		names = comma + 1;
	}
}

void floor_leave(struct floor *f, int fd)
{
	uint32_t next;

	for (uint32_t sub = f->subs_of[fd]; sub; sub = next) {
		struct floor_sub *s = &f->subs[sub];
		struct floor_topic *t = &f->topics[s->topic];

		t->members[s->place] = t->members[--t->n];
		f->subs[t->members[s->place].sub].place = s->place;
		next = s->next;
		s->next = f->free_sub;
		f->free_sub = sub;
	}
	f->subs_of[fd] = 0;
}

/* ---- sending ---- */

/* One send a stream. Who would not take all of it can't be served by one that keeps nothing. */
static void send_topic(struct floor *f, struct floor_topic *t)
{
	for (uint32_t i = t->n; i-- > 0;) {
		int fd = t->members[i].fd;

		if (send(fd, t->out, t->len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)t->len)
			continue;
		f->dropped++;
		floor_leave(f, fd);
		close(fd);
	}
	t->len = 0;
	t->n_waiting = 0;
}

void floor_send(struct floor *f)
{
	for (uint32_t i = 0; i < f->n_waiting; i++)
		send_topic(f, &f->topics[f->waiting[i]]);
	f->n_waiting = 0;
}

static void reserve(struct floor_topic *t, size_t more)
{
	if (t->len + more <= t->out_room)
		return;
	t->out_room = 2 * (t->len + more);
	t->out = realloc(t->out, t->out_room);
	if (!t->out)
		floor_die("out of memory");
}

void floor_publish(struct floor *f, uint32_t topic, const char *data, size_t len)
{
	struct floor_topic *t = &f->topics[topic];

	reserve(t, len + 8);
	memcpy(t->out + t->len, "data: ", 6);
	memcpy(t->out + t->len + 6, data, len);
	memcpy(t->out + t->len + 6 + len, "\n\n", 2);
	t->len += len + 8;
	if (++t->n_waiting == f->o->coalesce) {
		if (t->n_waiting > 1)
			floor_send(f); /* all of them: it may stand in the list */
		else
			send_topic(f, t);
	} else if (t->n_waiting == 1) {
		f->waiting[f->n_waiting++] = topic;
	}
}
