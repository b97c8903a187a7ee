/* dial: from the name of a server to an open connection, under TLS where that is wanted: looks the
 * name up, tries each of its addresses, shakes hands; nothing of it blocks. */
#ifndef TIDINGS_STREAMER_DIAL_H
#define TIDINGS_STREAMER_DIAL_H

#include <ev.h>
#include <stdint.h>
#include "common/wire.h"

struct addrinfo;
struct redis_server;
struct resolve;
struct tls_context;

/* why: NULL when dial.wire is open, which the callee then takes (and leaves closed); else words.
 * The callee may end the dial from in here. */
typedef void (*dial_done_fn)(void *arg, const char *why);

struct dial {
	struct wire wire;
	struct ev_loop *loop;
	char *path, *host; /* one of them */
	uint16_t port;
	const struct tls_context *tls; /* NULL: plain */
	dial_done_fn done;
	void *arg;
	double deadline; /* by clock_seconds: by then all addresses have had their turn */
	ev_io io;
	ev_timer turn; /* of one address */
	struct resolve *resolve;
	struct addrinfo *list, *next;
	int error; /* of the last address tried */
};

/* server is copied; tls is borrowed. Returns 0 or -ENOMEM; dial_end in both cases. */
int dial_init(struct dial *d, struct ev_loop *loop, const struct redis_server *server,
	      const struct tls_context *tls, dial_done_fn done, void *arg);

/* Begins; once. `done` may be called from here, and will be called unless dial_end comes first;
 * seconds only tell how long one of several addresses may take, the limit itself is the caller's to
 * keep. */
void dial_start(struct dial *d, double seconds);

/* What it is waiting for, in words, for those who do not wait any longer. */
const char *dial_waits_for(const struct dial *d);

/* Ends it, wherever it is, and closes the wire unless that was taken. */
void dial_end(struct dial *d);

#endif
