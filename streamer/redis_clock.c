/* redis_clock: the latest id that is known to be Redis's, and how long ago that was. A position is
 * max(last id, clock), so this holds as well while Redis's own clock was set back. */
#include "streamer/redis_clock.h"

#define AHEAD_MS 1000u

void redis_clock_note(struct redis_clock *c, struct event_id id, double now)
{
	if (c->known && event_id_compare(id, c->latest) < 0)
		return;
	c->known = true;
	c->latest = id;
	c->at = now;
}

bool redis_clock_believes(const struct redis_clock *c, struct event_id id, double now)
{
	uint64_t passed_ms = now > c->at ? (uint64_t)((now - c->at) * 1000.) : 0;
	return !c->known || id.ms <= c->latest.ms + passed_ms + AHEAD_MS;
}
