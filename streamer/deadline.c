/* deadline: a list ordered by itself, because its members share one time-out. Owns nothing but the
 * links. */
#include "streamer/deadline.h"

void deadline_list_init(struct deadline_list *l, double timeout_seconds)
{
	l->head.prev = l->head.next = &l->head;
	l->head.due = 0;
	l->timeout = timeout_seconds;
}

void deadline_init(struct deadline *d)
{
	d->prev = d->next = NULL;
	d->due = 0;
}

void deadline_start(struct deadline_list *l, struct deadline *d, double now)
{
	deadline_stop(d);
	d->due = now + l->timeout;
	d->prev = l->head.prev;
	d->next = &l->head;
	d->prev->next = d;
	l->head.prev = d;
}

void deadline_stop(struct deadline *d)
{
	if (!d->next)
		return;
	d->prev->next = d->next;
	d->next->prev = d->prev;
	d->prev = d->next = NULL;
}

struct deadline *deadline_pop(struct deadline_list *l, double now)
{
	struct deadline *d = l->head.next;
	if (d == &l->head || d->due > now)
		return NULL;
	deadline_stop(d);
	return d;
}

double deadline_first(const struct deadline_list *l)
{
	return l->head.next == &l->head ? -1 : l->head.next->due;
}
