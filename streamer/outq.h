/* outq: what one client still has to be sent, in order: references to frames, and how much of the
 * first is out. */
#ifndef TIDINGS_STREAMER_OUTQ_H
#define TIDINGS_STREAMER_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct frame;

struct outq_piece {
	struct frame *frame; /* one reference */
	uint32_t len;        /* its first bytes, which are sent */
};

#define OUTQ_FEW 2 /* that need no memory of their own: an event alone, and its position */

struct outq {
	union {
		struct outq_piece few[OUTQ_FEW]; /* while cap is OUTQ_FEW */
		struct outq_piece *ring;         /* else */
	};
	uint32_t cap;    /* a power of two */
	uint32_t head;   /* index of the first frame */
	uint32_t count;  /* frames in the ring */
	uint32_t events; /* of them, events of topics */
	size_t offset;   /* bytes of the first frame that are sent */
	size_t bytes;    /* unsent bytes in all */
};

void outq_init(struct outq *q);

/* Drops every reference and frees the ring. */
void outq_done(struct outq *q);

static inline bool outq_empty(const struct outq *q)
{
	return q->count == 0;
}

/* Queues one reference to f (the caller keeps its own). Returns 0 or -ENOMEM; q is unchanged on
 * error. */
int outq_push(struct outq *q, struct frame *f);

/* The same of an event, without its id line, which the caller pushes next. */
int outq_push_body(struct outq *q, struct frame *f);

/* Takes out the event that waits to be sent and that f replaces (frame_replaces), if there is one;
 * with it goes the position behind it, when it stands there without an id line of its own. What is
 * half sent stays. Returns whether there was one. */
bool outq_conflate(struct outq *q, const struct frame *f);

/* Fills iov with up to max pieces of what is to be sent next; returns how many. Views until q
 * changes. */
int outq_iovec(const struct outq *q, struct iovec *iov, int max);

/* Takes n sent bytes (n <= q->bytes) off the front. An emptied queue gives its memory back. */
void outq_sent(struct outq *q, size_t n);

#endif
