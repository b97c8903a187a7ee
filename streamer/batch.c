/* batch: a bounded array, whose events of one topic are chained. Owns one reference an event, and
 * the buffer in which a burst is joined: one copy for all listeners is cheaper than a vector of
 * pieces for each. */
#include "streamer/batch.h"

#include <assert.h>
#include <string.h>
#include "streamer/frame.h"
#include "streamer/hub.h"

void batch_init(struct batch *b)
{
	memset(b, 0, sizeof(*b));
	buf_init(&b->joined, BATCH_JOINED_BYTES);
}

void batch_done(struct batch *b)
{
	batch_clear(b);
	buf_done(&b->joined);
}

void batch_add(struct batch *b, struct topic *t, struct frame *f)
{
	struct batch_event *e = &b->events[b->n];

	assert(!batch_full(b));
	*e = (struct batch_event){.topic = t, .frame = frame_ref(f), .first = t->batch_last == 0};
	if (e->first)
		b->n_topics++;
	else
		b->events[t->batch_last - 1].next = (uint8_t)(b->n + 1);
	t->batch_last = (uint8_t)++b->n;
}

static void note_id(struct burst *burst, struct event_id id)
{
	if (event_id_is_zero(id))
		return;
	if (event_id_is_zero(burst->first))
		burst->first = id;
	burst->last = id;
}

static void join(struct batch *b, struct burst *out)
{
	buf_clear(&b->joined);
	for (unsigned i = 0; i < out->n; i++)
		if (buf_append(&b->joined, out->frames[i]->bytes, out->frames[i]->len) != 0)
			return;
	out->bytes = b->joined.data;
	out->len = b->joined.len;
}

void batch_burst(struct batch *b, unsigned i, struct burst *out)
{
	*out = (struct burst){.frames = b->gathered};
	for (unsigned at = i + 1; at != 0; at = b->events[at - 1].next) {
		struct frame *f = b->events[at - 1].frame;
		b->gathered[out->n++] = f;
		note_id(out, f->id);
	}
	if (out->n > 1) {
		join(b, out);
		return;
	}
	out->bytes = out->frames[0]->bytes;
	out->len = out->frames[0]->len;
}

void batch_clear(struct batch *b)
{
	for (unsigned i = 0; i < b->n; i++) {
		b->events[i].topic->batch_last = 0;
		frame_unref(b->events[i].frame);
	}
	b->n = b->n_topics = 0;
}
