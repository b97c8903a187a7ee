/* heard: see heard.h. */
#include "streamer/heard.h"

#include <string.h>

static void raise(struct event_id *to, struct event_id id)
{
	if (event_id_compare(id, *to) > 0)
		*to = id;
}

/* An event of several topics comes once for each: that all of them are here is known when a later
 * one comes. */
void heard_event(struct heard *h, struct span topic, struct event_id id)
{
	raise(&h->known, id);
	if (event_id_compare(id, h->latest) <= 0)
		return;
	raise(&h->through, h->latest);
	h->latest = id;
	memcpy(h->newest, topic.at, topic.len);
	h->newest_len = topic.len;
}

bool heard_position(struct heard *h, struct event_id at)
{
	raise(&h->known, at);
	if (h->open)
		return false;
	h->open = true;
	h->barrier++;
	h->barrier_at = at;
	return true;
}

bool heard_barrier(struct heard *h, uint64_t number)
{
	if (!h->open || number != h->barrier)
		return false;
	h->open = false;
	raise(&h->through, h->barrier_at);
	return true;
}

void heard_break(struct heard *h)
{
	h->open = false;
}
