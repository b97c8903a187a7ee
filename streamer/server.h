/* server: one worker: everything wired together on one loop. */
#ifndef TIDINGS_STREAMER_SERVER_H
#define TIDINGS_STREAMER_SERVER_H

struct config;
struct server;

/* Opens the listeners and begins to connect to Redis. NULL after a line on the log. config is
 * borrowed for its life. */
struct server *server_new(const struct config *config);

/* Runs until SIGTERM or SIGINT and the good-byes after it. Returns the exit code of the program. */
int server_run(struct server *s);

void server_free(struct server *s);

#endif
