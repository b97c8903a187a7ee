/* redis_clock: the latest id that is known to be Redis's, and how long ago that was. A position is
 * max(last id, clock), so this holds as well while Redis's own clock was set back. */
#include "streamer/redis_clock.h"

#define AHEAD_MS 1000u

/* What it says by now, by the latest id that came in time. */
static uint64_t estimate(const struct redis_clock *c, double now)
{
	return c->latest.ms + (now > c->at ? (uint64_t)((now - c->at) * 1000.) : 0);
}

/* What comes late, as after a pause of ours, says nothing: what follows it would look like an id of
 * the future. */
void redis_clock_note(struct redis_clock *c, struct event_id id, double now)
{
	if (c->known && id.ms < estimate(c, now))
		return;
	c->known = true;
	c->latest = id;
	c->at = now;
}

bool redis_clock_believes(const struct redis_clock *c, struct event_id id, double now)
{
	return !c->known || id.ms <= estimate(c, now) + AHEAD_MS;
}
