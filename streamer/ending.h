/* ending: streams end when their tickets do, with sse.expired. */
#ifndef TIDINGS_STREAMER_ENDING_H
#define TIDINGS_STREAMER_ENDING_H

struct ending;
struct stream;
struct streams;

/* Returns 0 or -ENOMEM. */
int ending_init(struct streams *all);
void ending_done(struct streams *all);

/* st ends in so many seconds, or up to 5 % of them later, at most 5 seconds: streams whose tickets
 * were made together do not come back together. Never earlier, or it would come back with a ticket
 * that is still good. Once for a stream. Returns 0 or -ENOMEM. */
int ending_set(struct stream *st, double seconds);

/* NULL is fine. */
void ending_free(struct ending *e);

/* To be called PULSE_TICKS times a second. */
void ending_tick(struct streams *all);

#endif
