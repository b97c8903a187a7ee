/* wheel: an array of lists. Owns the slots; the entries belong to whoever put them there. The clock
 * is the caller's. */
#include "streamer/wheel.h"

#include <errno.h>
#include <stdlib.h>

int wheel_init(struct wheel *w, size_t n_slots)
{
	w->slots = calloc(n_slots, sizeof(*w->slots));
	if (!w->slots)
		return -ENOMEM;
	w->n_slots = n_slots;
	w->at = 0;
	for (size_t i = 0; i < n_slots; i++)
		w->slots[i].prev = w->slots[i].next = &w->slots[i];
	return 0;
}

void wheel_done(struct wheel *w)
{
	free(w->slots);
	w->slots = NULL;
	w->n_slots = 0;
}

void wheel_add(struct wheel *w, struct wheel_entry *e, size_t slot)
{
	struct wheel_entry *head = &w->slots[slot % w->n_slots];
	e->prev = head->prev;
	e->next = head;
	e->prev->next = e;
	head->prev = e;
}

void wheel_remove(struct wheel_entry *e)
{
	if (!e->next)
		return;
	e->prev->next = e->next;
	e->next->prev = e->prev;
	e->prev = e->next = NULL;
}

void wheel_tick(struct wheel *w, void (*serve)(void *arg, struct wheel_entry *e), void *arg)
{
	struct wheel_entry *head = &w->slots[w->at];

	w->at = (w->at + 1) % w->n_slots;
	for (struct wheel_entry *e = head->next, *following; e != head; e = following) {
		following = e->next;
		serve(arg, e);
	}
}
