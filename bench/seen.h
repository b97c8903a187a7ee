/* seen: which events of a topic one stream has had: numbers that ought to rise by one. */
#ifndef TIDINGS_BENCH_SEEN_H
#define TIDINGS_BENCH_SEEN_H

#include <stdbool.h>
#include <stdint.h>

struct seen {
	uint64_t mask; /* bit i: next - 1 - i came; 0: nothing ever came */
	uint32_t next;
};

enum seen_verdict {
	SEEN_NEXT, /* the first of all, the next one, or one further: what is between is missing */
	SEEN_LATE, /* one that was missing, behind a later one */
	SEEN_DOUBLE, /* once more; also what comes more than 64 events late */
};

static inline enum seen_verdict seen_note(struct seen *s, uint32_t number)
{
	uint32_t ahead = number - s->next, behind = s->next - 1 - number;

	if (s->mask == 0 || ahead < UINT32_MAX / 2) {
		s->mask = s->mask == 0 || ahead >= 63 ? 1 : s->mask << (ahead + 1) | 1;
		s->next = number + 1;
		return SEEN_NEXT;
	}
	if (behind > 63 || s->mask >> behind & 1)
		return SEEN_DOUBLE;
	s->mask |= 1ull << behind;
	return SEEN_LATE;
}

#endif
