/* publisher: how the load generator's events get to a server: to the floor, to Redis by PUBLISH or
 * by the script of publish, or by HTTP. What is put is sent by the next flush; answers are read as
 * they come. All of it ends the program with words when the other side is gone. */
#ifndef TIDINGS_BENCH_PUBLISHER_H
#define TIDINGS_BENCH_PUBLISHER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/span.h"

struct load_options;
struct publisher;

#define PUBLISHER_FDS 256

struct publisher *publisher_new(const struct load_options *o);
void publisher_free(struct publisher *p);

/* Whether one more can be put now. */
bool publisher_ready(const struct publisher *p);

void publisher_put(struct publisher *p, struct span topic, struct span payload);
void publisher_flush(struct publisher *p);

/* What is to be waited for; returns how many, at most PUBLISHER_FDS. */
size_t publisher_fds(const struct publisher *p, struct pollfd *out);

/* Takes all answers that are there, without waiting. */
void publisher_take(struct publisher *p);

/* Events that were answered, and those of them that were refused. The floor answers nothing: 0. */
uint64_t publisher_answered(const struct publisher *p);
uint64_t publisher_refused(const struct publisher *p);

#endif
