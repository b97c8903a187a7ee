/* opening: three lists, and the moves between them. Owns nothing but the links. */
#include "streamer/opening.h"

#include <stddef.h>

static void ring_init(struct opening_entry *head)
{
	head->prev = head->next = head;
}

static bool ring_empty(const struct opening_entry *head)
{
	return head->next == head;
}

static void append(struct opening_entry *head, struct opening_entry *e)
{
	e->prev = head->prev;
	e->next = head;
	e->prev->next = e;
	head->prev = e;
}

/* Moves all of `from` to the front of `to`. */
static void splice(struct opening_entry *to, struct opening_entry *from)
{
	if (ring_empty(from))
		return;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	from->next->prev = to;
	to->next = from->next;
	ring_init(from);
}

void opening_init(struct opening *o)
{
	ring_init(&o->unconfirmed);
	ring_init(&o->ready);
	ring_init(&o->asked);
}

void opening_entry_init(struct opening_entry *e)
{
	e->prev = e->next = NULL;
	e->needs = 0;
}

void opening_leave(struct opening_entry *e)
{
	if (!e->next)
		return;
	e->prev->next = e->next;
	e->next->prev = e->prev;
	e->prev = e->next = NULL;
}

void opening_wait(struct opening *o, struct opening_entry *e, uint64_t needs, uint64_t answered)
{
	opening_leave(e);
	e->needs = needs;
	append(needs <= answered ? &o->ready : &o->unconfirmed, e);
}

void opening_wait_first(struct opening *o, struct opening_entry *e)
{
	opening_leave(e);
	append(o->ready.next,
	       e); /* before the first, which is the head itself when there is none */
}

void opening_confirm(struct opening *o, uint64_t answered)
{
	while (!ring_empty(&o->unconfirmed) && o->unconfirmed.next->needs <= answered) {
		struct opening_entry *e = o->unconfirmed.next;
		opening_leave(e);
		append(&o->ready, e);
	}
}

struct opening_entry *opening_first(const struct opening *o)
{
	return ring_empty(&o->ready) ? NULL : o->ready.next;
}

struct opening_entry *opening_next(const struct opening *o, const struct opening_entry *e)
{
	return e->next == &o->ready ? NULL : e->next;
}

void opening_ask(struct opening *o, struct opening_entry *e)
{
	opening_leave(e);
	append(&o->asked, e);
}

void opening_ask_again(struct opening *o)
{
	splice(&o->ready, &o->asked);
}

struct opening_entry *opening_take(struct opening *o)
{
	struct opening_entry *e = o->asked.next;
	if (e == &o->asked)
		return NULL;
	opening_leave(e);
	return e;
}
