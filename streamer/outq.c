/* outq: a ring of frame references, which stands in the queue itself while it is short. Owns one
 * reference a slot and the ring; the frames' bytes belong to frame.c, when to write and what is too
 * much to client.c. */
#include "streamer/outq.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "streamer/frame.h"

void outq_init(struct outq *q)
{
	memset(q, 0, sizeof(*q));
	q->cap = OUTQ_FEW;
}

static struct outq_piece *slot(const struct outq *q, uint32_t i)
{
	const struct outq_piece *ring = q->cap == OUTQ_FEW ? q->few : q->ring;
	return (struct outq_piece *)&ring[(q->head + i) & (q->cap - 1)];
}

static void empty(struct outq *q)
{
	if (q->cap != OUTQ_FEW)
		free(q->ring);
	outq_init(q);
}

void outq_done(struct outq *q)
{
	for (uint32_t i = 0; i < q->count; i++)
		frame_unref(slot(q, i)->frame);
	empty(q);
}

static int grow(struct outq *q)
{
	uint32_t cap = q->cap * 2;
	if (cap < q->cap)
		return -ENOMEM;
	struct outq_piece *ring = malloc((size_t)cap * sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < q->count; i++)
		ring[i] = *slot(q, i);
	if (q->cap != OUTQ_FEW)
		free(q->ring);
	q->ring = ring;
	q->cap = cap;
	q->head = 0;
	return 0;
}

static int push(struct outq *q, struct frame *f, uint32_t len)
{
	if (q->count == q->cap) {
		int err = grow(q);
		if (err)
			return err;
	}
	q->count++;
	*slot(q, q->count - 1) = (struct outq_piece){frame_ref(f), len};
	q->events += f->event;
	q->bytes += len;
	return 0;
}

int outq_push(struct outq *q, struct frame *f)
{
	return push(q, f, f->len);
}

int outq_push_body(struct outq *q, struct frame *f)
{
	return push(q, f, f->body_len);
}

int outq_iovec(const struct outq *q, struct iovec *iov, int max)
{
	int n = 0;
	for (uint32_t i = 0; i < q->count && n < max; i++, n++) {
		const struct outq_piece *p = slot(q, i);
		size_t skip = i == 0 ? q->offset : 0;
		iov[n].iov_base = p->frame->bytes + skip;
		iov[n].iov_len = p->len - skip;
	}
	return n;
}

static void take_out(struct outq *q, uint32_t i)
{
	struct outq_piece *p = slot(q, i);
	struct frame *f = p->frame;

	q->events -= f->event;
	q->bytes -= p->len;
	for (; i + 1 < q->count; i++)
		*slot(q, i) = *slot(q, i + 1);
	q->count--;
	frame_unref(f);
}

bool outq_conflate(struct outq *q, const struct frame *f)
{
	for (uint32_t i = q->offset > 0; i < q->count; i++) {
		const struct outq_piece *p = slot(q, i);
		bool body_only = p->frame->event && p->len < p->frame->len;
		if (!frame_replaces(f, p->frame))
			continue;
		take_out(q, i);
		if (body_only && i < q->count)
			take_out(q, i);
		return true;
	}
	return false;
}

static void pop(struct outq *q)
{
	struct frame *f = slot(q, 0)->frame;
	q->events -= f->event;
	q->head = (q->head + 1) & (q->cap - 1);
	q->count--;
	q->offset = 0;
	frame_unref(f);
}

void outq_sent(struct outq *q, size_t n)
{
	assert(n <= q->bytes);
	q->bytes -= n;
	while (q->count > 0) {
		size_t left = slot(q, 0)->len - q->offset;
		if (n < left) {
			q->offset += n;
			return;
		}
		n -= left;
		pop(q);
	}
	empty(q);
}
