/* client: one connection: a request comes in, frames go out. Knows HTTP framing and sockets, and
 * nothing of topics.
 *
 *   READING ──request──► WAITING ──client_push…──► WAITING
 *      │                    │
 *      └──► client_end: ENDING (flushes) ──► LINGERING (until the peer has read it all) ──► DEAD
 * (until the reaper)
 *
 * client_close leads to DEAD from everywhere. */
#ifndef TIDINGS_STREAMER_CLIENT_H
#define TIDINGS_STREAMER_CLIENT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "common/span.h"
#include "streamer/deadline.h"
#include "streamer/http_request.h"
#include "streamer/outq.h"

struct burst;
struct client;
struct frame;
struct histogram;

enum client_state { CLIENT_READING, CLIENT_WAITING, CLIENT_ENDING, CLIENT_LINGERING, CLIENT_DEAD };

/* Why a connection ended, as the metrics count it. */
enum client_reason {
	CLIENT_PEER_GONE, /* closed or reset by the peer */
	CLIENT_ANSWERED,  /* an answer without a stream, or a stream that we ended: all sent */
	CLIENT_SLOW,      /* more waited than max_queue_* allows, or the last bytes too long */
	CLIENT_NOISY,     /* sent more behind its request than is read and thrown away */
	CLIENT_NO_MEMORY,
	CLIENT_SHUTDOWN,
	CLIENT_REASONS,
};

struct client_ops {
	/* A whole request. input: its bytes, which r and body view into; the callee frees it. */
	void (*request)(void *arg, struct client *c, const struct http_request *r, struct span body,
			char *input);
	/* No request can be read: answer this. (408 when it took too long.)
	 * r: its head where that could be read, else NULL. */
	void (*refuse)(void *arg, struct client *c, const struct http_error *error,
		       const struct http_request *r);
	/* All is sent, as was asked for with client_tell_when_empty. */
	void (*empty)(void *arg, struct client *c);
	/* It is over. c is freed after the call. */
	void (*closed)(void *arg, struct client *c, enum client_reason reason);
};

/* What is done about a client for whom more waits than max_queue_* allows. */
enum client_policy {
	CLIENT_RESUMES,   /* it is closed, and resumes when it is back */
	CLIENT_CONFLATES, /* while it waits, an event replaces one of its key; closed where that
			     does not help */
	CLIENT_DROPS, /* it gets nothing more: the owner asks client_is_full before each event */
};

struct clients_config {
	double request_seconds;  /* a request must be there this long after the connect */
	uint64_t max_body;       /* bytes of a POST */
	uint64_t max_queue_size; /* events, and bytes of all, that may wait after the socket refused
				    some */
	uint64_t max_queue_bytes;
	enum client_policy slow;
	struct histogram *
		delivery; /* gets the seconds from events_since to the end of the flush; borrowed */
};

/* All connections of a worker. */
struct clients {
	struct ev_loop *loop;
	struct clients_config config;
	const struct client_ops *ops;
	void *arg;
	struct client *first;   /* all */
	struct client *pending; /* have something to flush at the end of this loop turn */
	struct client *dead;    /* go at the end of this loop turn */
	size_t count;
	uint64_t events_sent;      /* events that a socket took whole */
	uint64_t events_dropped;   /* events that slow clients did not get */
	uint64_t events_conflated; /* events that a later one of their key replaced */
	double events_since; /* when the oldest event of this turn came; 0: none did. The owner sets
				it. */
	ev_prepare turn;
	ev_timer request_timer, ending_timer, linger_timer;
	struct deadline_list requests, ending, lingering;
};

struct client {
	unsigned magic;
	uint8_t state;      /* enum client_state */
	uint8_t reason;     /* enum client_reason, once DEAD */
	bool admin : 1;     /* came in at admin_listen */
	bool blocked : 1;   /* the socket refused bytes: EV_WRITE is watched */
	bool pending : 1;   /* in clients.pending */
	bool continued : 1; /* 100 Continue was sent */
	bool limited : 1;   /* may be closed as slow */
	bool tell_empty : 1;
	bool held : 1; /* what is pushed leaves when it is released, or with something else */
	uint32_t thrown_away; /* bytes read behind the request */
	uint32_t input_need;  /* bytes; below that there is nothing new to find in input */
	ev_io io;
	struct outq out;
	struct clients *all;
	struct client *prev, *next;
	struct client *next_pending, *next_dead;
	struct deadline deadline;
	char *input; /* READING: what has come so far */
	uint32_t input_len, input_cap;
	void *user; /* the owner's */
};

void clients_init(struct clients *all, struct ev_loop *loop, const struct clients_config *config,
		  const struct client_ops *ops, void *arg);
/* Closes and frees all of them (closed is called). */
void clients_done(struct clients *all);

/* Takes over an accepted, non-blocking socket. NULL when out of memory: the socket is closed. */
struct client *client_new(struct clients *all, int fd, bool admin);

/* Queues a reference to f for the end of this loop turn (the caller keeps its own). Harmless on a
 * client that is ending or dead. Out of memory closes this client. */
void client_push(struct client *c, struct frame *f);

/* The same of an event, without its id line, which the caller pushes next. */
void client_push_body(struct client *c, struct frame *f);

/* Nothing waits to be sent, and the socket has refused nothing: client_send may be called. */
bool client_is_idle(const struct client *c);

/* Sends what a topic brought (b->bytes is there) at once, without waiting for the end of the loop
 * turn; what the socket does not take is queued. */
void client_send(struct client *c, const struct burst *b);

/* The policy is CLIENT_DROPS, and as much waits as may: the next event is not to be pushed but
 * counted as dropped, and to be told. */
bool client_is_full(const struct client *c);

/* What is pushed from now on does not leave by itself, as long as no more of it waits than a slow
 * client may have waiting. */
void client_hold(struct client *c);

/* It leaves at the end of this turn. */
void client_release(struct client *c);

/* So does what is held, which goes on being held. */
void client_hurry(struct client *c);

/* As client_push, taking the caller's reference; f NULL (out of memory) closes the client. */
void client_push_taken(struct client *c, struct frame *f);

/* Sends what is queued now, without waiting for the end of the loop turn. Returns true when the
 * socket took it all. */
bool client_flush(struct client *c);

/* ops.empty is called once, when everything queued is sent. */
void client_tell_when_empty(struct client *c);

/* Whether it is closed when more than max_queue_* waits; at first it is. */
void client_limit(struct client *c, bool limited);

/* Sends what is queued, then closes without losing bytes that are on their way. */
void client_end(struct client *c);

/* Closes at once; freed at the end of the loop turn. */
void client_close(struct client *c, enum client_reason reason);

/* Sends what is queued everywhere now, without waiting for the end of the turn. */
void clients_flush(struct clients *all);

/* It takes frames, and will be sent them: neither ended nor about to. */
static inline bool client_is_open(const struct client *c)
{
	return c->state == CLIENT_WAITING;
}

/* The peer's address as accept knew it. Returns 0 or a negative errno. */
int client_peer(const struct client *c, struct sockaddr_storage *addr);

#endif
