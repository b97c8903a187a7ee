/* wheel: things that come round once a period, spread evenly over it: each belongs to one slot,
 * each tick serves one. */
#ifndef TIDINGS_STREAMER_WHEEL_H
#define TIDINGS_STREAMER_WHEEL_H

#include <stddef.h>

struct wheel_entry {
	struct wheel_entry *prev, *next; /* NULL: on no wheel */
};

struct wheel {
	struct wheel_entry *slots; /* rings through their heads */
	size_t n_slots;
	size_t at; /* the slot that the next tick serves */
};

/* Returns 0 or -ENOMEM. */
int wheel_init(struct wheel *w, size_t n_slots);
void wheel_done(struct wheel *w);

/* slot: any number; taken modulo n_slots. */
void wheel_add(struct wheel *w, struct wheel_entry *e, size_t slot);

/* Harmless on an entry that is on no wheel. */
void wheel_remove(struct wheel_entry *e);

/* Calls serve for each entry of the next slot; an entry may remove itself in the call. */
void wheel_tick(struct wheel *w, void (*serve)(void *arg, struct wheel_entry *e), void *arg);

#endif
