/* pulse: the ticks of a worker's streams. */
#ifndef TIDINGS_STREAMER_PULSE_H
#define TIDINGS_STREAMER_PULSE_H

struct streams;

#define PULSE_TICKS 4 /* a second */

/* Returns 0 or -ENOMEM; to be ended by pulse_done in both cases. */
int pulse_init(struct streams *all);
void pulse_done(struct streams *all);

/* One tick. */
void pulse_tick(struct streams *all);

#endif
