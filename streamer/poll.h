/* poll: one JSON answer in the place of a stream, for who can't hold one (cron jobs, proxies that
 * buffer): what was missed since a cursor, held for a while when that is nothing; or the present
 * cursor alone. */
#ifndef TIDINGS_STREAMER_POLL_H
#define TIDINGS_STREAMER_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/buf.h"
#include "streamer/wheel.h"

struct ask;
struct frame;
struct stream;

enum poll_kind {
	POLL_EVENTS, /* JSON with what was missed */
	POLL_CURSOR, /* JSON with the position */
	POLL_HEAD,   /* the stream's head with the position */
};

struct poll {
	enum poll_kind kind;
	bool answered;
	double until;   /* seconds of clock_seconds: held no longer */
	double give_up; /* not opened by then: Redis is away */
	struct buf events, reset;
	const char *reason; /* of reset; static */
	size_t n;
	struct wheel_entry entry; /* of streams.polls */
	struct stream *stream;
	bool faulty[]; /* the topics of reset, in request order */
};

/* The ask stays with the stream. NULL when out of memory. */
struct poll *poll_new(struct stream *st, const struct ask *ask);

/* NULL is fine. */
void poll_free(struct poll *p);

/* One event for it; a live one is answered at once. */
void poll_add(struct stream *st, struct frame *f);

/* The topics whose faults were not told yet; the gravest in a word. */
void poll_reset(struct stream *st, const char *fault);

/* No more goes into one answer. */
bool poll_full(const struct poll *p);

/* Answers with what there is, and ends the connection. more: not all of it was sent. */
void poll_answer(struct stream *st, bool more);

/* Answers busy, with that `retry`. */
void poll_give_up(struct stream *st, uint64_t retry_ms);

/* The same with a `retry` by chance: Redis is away. */
void poll_turn_away(struct stream *st);

/* All that was missed is there. */
void poll_is_live(struct stream *st);

/* To be called a few times a second for each. */
void poll_tick(struct poll *p);

#endif
