/* floor: a server that does nothing but send: what any other costs is measured by it. Shared by its
 * files; static arrays by descriptor, a process each for --processes. */
#ifndef TIDINGS_BENCH_FLOOR_H
#define TIDINGS_BENCH_FLOOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hiredis/hiredis.h>

#define FLOOR_FDS          32768 /* descriptors of a process */
#define FLOOR_TOPICS       32768
#define FLOOR_SUBS         1048576 /* topics of all streams of a process */
#define FLOOR_NAME         64
#define FLOOR_EVENT        (64 * 1024 + 16)
#define FLOOR_HEAD         1024
#define FLOOR_SOURCE_BYTES (1024 * 1024)

struct floor_options {
	struct sockaddr_in listen, control;
	const char *redis; /* a unix socket, or HOST:PORT; NULL: fed by its control port */
	uint64_t coalesce; /* events that one send may hold */
	uint64_t processes;
};

/* One of a topic's streams; sub is its place in floor.subs. */
struct floor_member {
	int fd;
	uint32_t sub;
};

/* One topic of a stream. */
struct floor_sub {
	uint32_t topic, place; /* floor.topics, and there members */
	uint32_t next;         /* of the same stream, or of the free; 0: none */
};

struct floor_topic {
	char name[FLOOR_NAME];
	struct floor_member *members;
	uint32_t n, room;
	uint32_t n_waiting; /* events in `out` */
	size_t len, out_room;
	char *out; /* frames that are not sent yet */
};

struct floor_source {
	int listener; /* of the control port; -1: Redis */
	int control;  /* its one connection; -1: none */
	redisContext *redis;
	size_t len; /* of bytes, what was read and not used yet */
	char bytes[FLOOR_SOURCE_BYTES];
};

struct floor {
	const struct floor_options *o;
	int epoll, listener;
	struct floor_source source;
	uint32_t subs_of[FLOOR_FDS]; /* by descriptor; 0: none */
	uint16_t head_len[FLOOR_FDS];
	char (*heads)[FLOOR_HEAD]; /* by descriptor; touched only by heads that come in pieces */
	struct floor_topic topics[FLOOR_TOPICS];
	uint32_t buckets[2 * FLOOR_TOPICS]; /* by hash of the name; topic + 1 */
	uint32_t n_topics;
	struct floor_sub *subs;
	uint32_t free_sub, used_subs;
	uint32_t waiting[FLOOR_TOPICS]; /* topics with something to send */
	uint32_t n_waiting;
	uint64_t dropped; /* streams that would not take it */
};

__attribute__((noreturn)) void floor_die(const char *what);

/* ---- floor_streams.c ---- */

void floor_join(struct floor *f, int fd, const char *names, size_t len);
void floor_leave(struct floor *f, int fd);

/* The topic of that name, made where there is none; its number. */
uint32_t floor_topic(struct floor *f, const char *name, size_t len);

/* Queues an event, and sends where --coalesce says it is enough. */
void floor_publish(struct floor *f, uint32_t topic, const char *data, size_t len);

/* Sends all that is queued. */
void floor_send(struct floor *f);

/* ---- floor_source.c ---- */

/* Opens the control port, or connects to Redis; the descriptor to be watched. */
int floor_source_open(struct floor *f);

/* True for a descriptor of the source. */
bool floor_source_has(const struct floor *f, int fd);

/* It has something to read. Returns a connection that is new, to be watched, else -1. */
int floor_source_take(struct floor *f, int fd);

/* With Redis: a topic that is new is to be heard. */
void floor_source_subscribe(struct floor *f, const char *name);

#endif
