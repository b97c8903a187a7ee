/* resolve: host names become addresses without stopping the loop: a thread of its own asks, the
 * loop is woken. */
#ifndef TIDINGS_STREAMER_RESOLVE_H
#define TIDINGS_STREAMER_RESOLVE_H

#include <stdint.h>

struct addrinfo;
struct ev_loop;
struct resolve;

/* list: from getaddrinfo, the callee's to free with freeaddrinfo; NULL when it failed, with `why`
 * in words. */
typedef void (*resolve_done_fn)(void *arg, struct addrinfo *list, const char *why);

/* Begins to look up host:port for TCP. `done` is called later from the loop, never from here.
 * Returns NULL when out of memory or threads. */
struct resolve *resolve_begin(struct ev_loop *loop, const char *host, uint16_t port,
			      resolve_done_fn done, void *arg);

/* `done` will not be called. The thread ends by itself when the name server lets it. NULL is fine.
 */
void resolve_cancel(struct resolve *r);

#endif
