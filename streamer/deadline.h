/* deadline: things that share one fixed time-out, in the order in which they fall due. Everything
 * is O(1): what is added last falls due last. The clock is passed in, so that no loop is needed. */
#ifndef TIDINGS_STREAMER_DEADLINE_H
#define TIDINGS_STREAMER_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>

struct deadline {
	struct deadline *prev, *next; /* NULL: in no list */
	double due;                   /* seconds of the caller's clock */
};

struct deadline_list {
	struct deadline head; /* a ring through its head */
	double timeout;       /* seconds */
};

void deadline_list_init(struct deadline_list *l, double timeout_seconds);

/* In no list. */
void deadline_init(struct deadline *d);

/* Starts (or restarts) d's time-out at `now`. `now` never goes back from call to call. */
void deadline_start(struct deadline_list *l, struct deadline *d, double now);

/* Takes d out of its list; harmless when it is in none. */
void deadline_stop(struct deadline *d);

/* The first one that is due at `now`, taken out of the list; NULL when none is. */
struct deadline *deadline_pop(struct deadline_list *l, double now);

/* When the first one falls due; negative when there is none. */
double deadline_first(const struct deadline_list *l);

#endif
