/* tail: owns a reference of each frame. Each entry of a log names its topic's previous id, so a
 * chain that begins at or below a position has no hole above it. */
#include "streamer/tail.h"

#include <errno.h>
#include <stdlib.h>
#include "common/event.h"
#include "streamer/event_frame.h"
#include "streamer/frame.h"

struct tail *tail_new(size_t room)
{
	size_t bytes = sizeof(struct tail) + room * sizeof(struct tail_event);
	struct tail *t = calloc(1, bytes);

	if (!t)
		return NULL;
	t->bytes = bytes;
	deadline_init(&t->deadline);
	return t;
}

void tail_free(struct tail *t)
{
	if (!t)
		return;
	deadline_stop(&t->deadline);
	for (size_t i = 0; i < t->n; i++)
		frame_unref(t->events[i].frame);
	free(t);
}

/* What can't be delivered is a link of the chain all the same. */
int tail_add(struct tail *t, struct event_id id, struct span message, size_t max_bytes,
	     const struct event_place *place)
{
	struct tail_event *e = &t->events[t->n];
	struct event_message m;
	enum event_decode_status status = EVENT_NOT_EVENT;

	*e = (struct tail_event){.id = id};
	if (message.len <= max_bytes)
		status = event_decode(message.at, message.len, &m);
	if (status == EVENT_DECODE_NOMEM)
		return -ENOMEM;
	if (status == EVENT_OK) {
		e->prev = m.prev;
		e->frame = event_frame(&m, id, place);
		event_message_done(&m);
		if (!e->frame)
			return -ENOMEM;
		t->bytes += e->frame->len;
	}
	t->n++;
	return 0;
}

size_t tail_after(const struct tail *t, struct event_id id)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (event_id_compare(t->events[middle].id, id) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum tail_verdict tail_judge(const struct tail *t, struct event_id from)
{
	size_t first = tail_after(t, from);

	if (first < t->n)
		return event_id_compare(t->events[first].prev, from) <= 0 ? TAIL_WHOLE
									  : TAIL_TRIMMED;
	if (t->complete && event_id_compare(t->last, from) > 0)
		return TAIL_EXPIRED;
	return TAIL_WHOLE;
}
