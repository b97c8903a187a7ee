/* redis_clock: about what Redis's clock says, so that an id of the future is told from a true one.
 */
#ifndef TIDINGS_STREAMER_REDIS_CLOCK_H
#define TIDINGS_STREAMER_REDIS_CLOCK_H

#include <stdbool.h>
#include "common/cursor.h"

struct redis_clock {
	bool known;
	struct event_id latest; /* the highest position or believed id */
	double at;              /* when it came, on the caller's clock */
};

/* Redis made this id, or took it as a position, just now. now: seconds of a clock that never jumps.
 */
void redis_clock_note(struct redis_clock *c, struct event_id id, double now);

/* False for an id more than a second ahead of Redis's clock: believing it would make every true one
 * after it look old. Everything is believed before the first position. */
bool redis_clock_believes(const struct redis_clock *c, struct event_id id, double now);

#endif
