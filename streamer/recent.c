/* recent: a ring of (topic, frame) with running numbers. Owns one reference a kept frame. */
#include "streamer/recent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "streamer/frame.h"

void recent_init(struct recent *r, size_t max_events, size_t max_bytes)
{
	memset(r, 0, sizeof(*r));
	r->cap = max_events;
	r->max_bytes = max_bytes;
}

int recent_prepare(struct recent *r)
{
	if (!r->ring)
		r->ring = calloc(r->cap, sizeof(*r->ring));
	return r->ring ? 0 : -ENOMEM;
}

static void drop_first(struct recent *r)
{
	struct recent_event *e = &r->ring[r->first % r->cap];
	r->bytes -= e->frame->len;
	frame_unref(e->frame);
	e->frame = NULL;
	r->first++;
}

void recent_stop(struct recent *r)
{
	while (r->first < r->next)
		drop_first(r);
	r->recording = false;
}

void recent_done(struct recent *r)
{
	recent_stop(r);
	free(r->ring);
	r->ring = NULL;
}

uint64_t recent_start(struct recent *r)
{
	r->recording = true;
	return r->next;
}

void recent_add(struct recent *r, uint64_t topic_serial, struct frame *f)
{
	if (!r->recording)
		return;
	while (r->first < r->next &&
	       (r->next - r->first == r->cap || r->bytes + f->len > r->max_bytes))
		drop_first(r);
	struct recent_event *e = &r->ring[r->next % r->cap];
	e->topic_serial = topic_serial;
	e->frame = frame_ref(f);
	r->bytes += f->len;
	r->next++;
}

bool recent_holds(const struct recent *r, uint64_t since)
{
	return r->recording && since >= r->first;
}

const struct recent_event *recent_at(const struct recent *r, uint64_t sequence)
{
	return &r->ring[sequence % r->cap];
}
