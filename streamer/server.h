/* server: one worker: everything wired together on one loop. */
#ifndef TIDINGS_STREAMER_SERVER_H
#define TIDINGS_STREAMER_SERVER_H

#include <signal.h>
#include <stdint.h>

struct config;
struct server;
struct shared;
struct sockets;

/* Where it stands among the workers; all borrowed. */
struct ticket_file;

struct server_place {
	struct shared *shared;
	struct sockets *sockets;     /* its own are taken */
	unsigned number;             /* from 0 */
	uint64_t max_streams;        /* that this process has files for */
	struct ticket_file *tickets; /* NULL: tickets are not taken; borrowed */
};

/* Begins to accept and to connect to Redis, and says so in `shared`. NULL after a line on the log.
 * config is borrowed for its life. */
struct server *server_new(const struct config *config, const struct server_place *at);

/* Runs until SIGTERM and the good-byes after it, under this mask of signals. Returns the exit code
 * of the process. */
int server_run(struct server *s, const sigset_t *mask);

void server_free(struct server *s);

#endif
