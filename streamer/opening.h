/* opening: streams on their way to being live. First Redis must have answered every SUBSCRIBE that
 * the stream needs, then a position is taken that serves all who were ready when it was asked for.
 * Pure lists; asks nobody itself. */
#ifndef TIDINGS_STREAMER_OPENING_H
#define TIDINGS_STREAMER_OPENING_H

#include <stdbool.h>
#include <stdint.h>

struct opening_entry {
	struct opening_entry *prev, *next; /* NULL: not under way */
	uint64_t needs; /* sequence number of the last SUBSCRIBE that must be answered */
};

struct opening {
	struct opening_entry
		unconfirmed; /* rings through their heads; unconfirmed is in order of `needs` */
	struct opening_entry ready; /* waits for a position to be asked for */
	struct opening_entry asked; /* the question is out */
};

void opening_init(struct opening *o);

void opening_entry_init(struct opening_entry *e);

/* e waits until `needs` is answered (`answered` is what is now). needs never decreases from call to
 * call. */
void opening_wait(struct opening *o, struct opening_entry *e, uint64_t needs, uint64_t answered);

/* The same for one whose subscriptions are answered, before all others who are ready. */
void opening_wait_first(struct opening *o, struct opening_entry *e);

/* Everything up to `answered` is answered. */
void opening_confirm(struct opening *o, uint64_t answered);

/* The first of those who are ready, in the order in which they became so; NULL: nobody is. */
struct opening_entry *opening_first(const struct opening *o);

/* The one who became ready after e; NULL: e is the last. */
struct opening_entry *opening_next(const struct opening *o, const struct opening_entry *e);

/* e, which is ready, belongs to the question that goes out now. */
void opening_ask(struct opening *o, struct opening_entry *e);

/* The question failed: its listeners are ready again, before all others. */
void opening_ask_again(struct opening *o);

/* The question was answered: takes its listeners out, one a call; NULL at the end. */
struct opening_entry *opening_take(struct opening *o);

/* Takes e out, wherever it is; harmless when it is nowhere. */
void opening_leave(struct opening_entry *e);

#endif
