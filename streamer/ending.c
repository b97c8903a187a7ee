/* ending: a wheel of quarters of a second, so that no stream needs a timer. One whose end is
 * further away than the wheel's period is passed over until it is due. Owns the wheel, and each
 * stream's place on it. */
#include "streamer/ending.h"

#include <errno.h>
#include <stdlib.h>
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/jitter.h"
#include "streamer/notice.h"
#include "streamer/pulse.h"
#include "streamer/stats.h"
#include "streamer/stream.h"

#define SLOTS         1024 /* four minutes */
#define LATE_MIN_MS   200u /* so that a clock read a little early does not matter */
#define LATE_MAX_MS   5000.
#define LATE_PART     .05
#define SLACK_SECONDS .1
#define RETRY_LOW_MS  100u
#define RETRY_HIGH_MS 1000u
#define FAR_SECONDS   1e9 /* what is later is as good as never */

struct ending {
	struct wheel_entry entry;
	struct stream *stream;
	double at; /* by clock_seconds */
};

int ending_set(struct stream *st, double seconds)
{
	struct wheel *w = &st->all->endings;
	struct ending *e = calloc(1, sizeof(*e));
	double late_ms = seconds * 1000. * LATE_PART;

	if (!e)
		return -ENOMEM;
	late_ms = late_ms > LATE_MAX_MS ? LATE_MAX_MS : late_ms;
	late_ms = (double)jitter_between(LATE_MIN_MS, LATE_MIN_MS + (uint64_t)late_ms);
	seconds = (seconds > FAR_SECONDS ? FAR_SECONDS : seconds) + late_ms / 1000.;
	e->stream = st;
	e->at = clock_seconds() + seconds;
	st->ending = e;
	wheel_add(w, &e->entry, w->at + (size_t)(seconds * PULSE_TICKS) + 1);
	return 0;
}

void ending_free(struct ending *e)
{
	if (!e)
		return;
	wheel_remove(&e->entry);
	free(e);
}

static void on_turn(void *arg, struct wheel_entry *entry)
{
	struct ending *e = (struct ending *)((char *)entry - offsetof(struct ending, entry));
	struct streams *all = arg;

	if (e->at > clock_seconds() + SLACK_SECONDS)
		return;
	wheel_remove(entry);
	all->stats->expired++;
	client_push_taken(e->stream->client,
			  notice_expired(jitter_between(RETRY_LOW_MS, RETRY_HIGH_MS)));
	client_end(e->stream->client);
}

void ending_tick(struct streams *all)
{
	wheel_tick(&all->endings, on_turn, all);
}

int ending_init(struct streams *all)
{
	return wheel_init(&all->endings, SLOTS);
}

void ending_done(struct streams *all)
{
	wheel_done(&all->endings);
}
