/* supervisor: the parent of the workers. Holds the listening sockets, so that a worker's queue
 * outlives it; starts the workers, and a successor for each that ends by itself; passes the wish to
 * stop on. It serves nobody. */
#ifndef TIDINGS_STREAMER_SUPERVISOR_H
#define TIDINGS_STREAMER_SUPERVISOR_H

#include <signal.h>

struct shared;
struct sockets;

/* One worker's life, in a process of its own; number: from 0. `before` is the mask of signals to
 * restore once it is ready for SIGTERM, which is all that it is sent (SIGINT and SIGHUP are
 * ignored: a terminal gives them to everybody). It says in `shared` when it can serve. Returns the
 * exit code of its process. */
typedef int (*supervisor_work_fn)(void *arg, unsigned number, const sigset_t *before);

struct supervisor_config {
	struct shared *shared;
	struct sockets *sockets;
	supervisor_work_fn work;
	void *arg;
};

/* Runs until SIGTERM or SIGINT, and the workers have ended after it; a second signal ends them at
 * once. Returns the exit code of the program: 0, or 1 when no worker could start, or one did not
 * end well. In a worker it does not return. */
int supervisor_run(const struct supervisor_config *config);

#endif
