/* publisher_ways: what the files of publisher share. A way is one kind of server; each function of
 * it as its namesake in publisher.h. */
#ifndef TIDINGS_BENCH_PUBLISHER_WAYS_H
#define TIDINGS_BENCH_PUBLISHER_WAYS_H

#include "bench/publisher.h"

struct publisher_ops {
	void *(*open)(const struct load_options *o);
	void (*close)(void *way);
	bool (*ready)(const void *way);
	void (*put)(void *way, struct span topic, struct span payload);
	void (*flush)(void *way);
	size_t (*fds)(const void *way, struct pollfd *out);
	void (*take)(void *way);
	void (*counts)(const void *way, uint64_t *answered, uint64_t *refused);
};

extern const struct publisher_ops publisher_floor, publisher_redis, publisher_http;

/* ---- what they need ---- */

#define PUBLISHER_BUFFER_MAX (256 * 1024 * 1024)

struct buf;

/* A connection to HOST:PORT, or to a unix socket where the text begins with a slash. */
int publisher_dial(const char *to);

/* Sends all of it, waiting where it must. */
void publisher_send(int fd, const struct buf *b);

/* Ends the program unless rc is 0 or above. */
void publisher_must(int rc);

__attribute__((noreturn)) void publisher_die(const char *what);

/* The common form of an event as others publish it to tidings: {"event":"message","data":"…"}. */
void publisher_message(struct buf *b, struct span payload);

#endif
