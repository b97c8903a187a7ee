/* wire: one non-blocking socket to a server, plain or under TLS, with the same calls for both. Who
 * uses it polls fd and decides how long to wait. */
#ifndef TIDINGS_COMMON_WIRE_H
#define TIDINGS_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include "common/io_status.h"

struct sockaddr;
struct tls_context;
struct tls_session;

struct wire {
	int fd;                  /* -1: none */
	struct tls_session *tls; /* NULL: plain */
	int error;               /* errno of what failed last, for wire_why */
};

void wire_init(struct wire *w);

/* Closes, and is as after wire_init. */
void wire_close(struct wire *w);

/* Begins to connect a closed wire; it is through, or has failed, when fd can be written to. Returns
 * 0 or a negative errno; then it is closed. */
int wire_connect(struct wire *w, const struct sockaddr *address, unsigned length);

/* The same for a unix socket. -ENAMETOOLONG where no socket can have that path. */
int wire_connect_path(struct wire *w, const char *path);

/* Once fd can be written to: 0, or why there is no connection, as a negative errno. */
int wire_connected(const struct wire *w);

/* From here on nothing goes over it but TLS, see tls_session_new. Returns 0 or -ENOMEM. */
int wire_begin_tls(struct wire *w, const struct tls_context *tls, const char *host);

/* Goes on with the handshake; IO_OK, IO_WANT_… or IO_FAILED. IO_OK at once without TLS. */
enum io_status wire_handshake(struct wire *w);

/* Up to size bytes; *n, at least 1, is given on IO_OK alone. */
enum io_status wire_read(struct wire *w, void *bytes, size_t size, size_t *n);

/* Writes what fits; *n, at least 1, is given on IO_OK alone. After IO_WANT_… the same bytes,
 * perhaps more of them, perhaps elsewhere in memory, must be written next. */
enum io_status wire_write(struct wire *w, const void *bytes, size_t size, size_t *n);

/* Bytes can be read that no poll tells of. */
bool wire_pending(const struct wire *w);

/* For a connection on which nothing is due: it is open, and nothing was said but what TLS has to
 * say to itself (session tickets). */
bool wire_quiet(struct wire *w);

/* After IO_FAILED: what happened, in words; good until the next call. */
const char *wire_why(const struct wire *w);

#endif
