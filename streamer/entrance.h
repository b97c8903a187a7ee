/* entrance: a listener between its request and its stream: is there a place, may it hear what it
 * asks for? Who may not, or not now, is told so. */
#ifndef TIDINGS_STREAMER_ENTRANCE_H
#define TIDINGS_STREAMER_ENTRANCE_H

#include <stdbool.h>
#include "streamer/places.h"

struct ask;
struct auth;
struct client;
struct config;
struct http_request;
struct reception;
struct stream;
struct streams;
struct ticket_file;

struct entrance {
	const struct config *config; /* borrowed, as the rest */
	const struct reception *reception;
	struct streams *streams;
	struct auth *auth;           /* NULL: no auth URL is asked */
	struct ticket_file *tickets; /* NULL: tickets are not taken. Without both: public */
	struct places places;        /* of streams, and of those who wait for their verdict */
	bool closed;                 /* nobody comes in any more */
};

/* It is the owner of its streams, whose places it knows. */
void entrance_open(struct entrance *e);

/* A request for a stream; ask is taken. */
void entrance_begin(struct entrance *e, struct client *c, struct ask *ask,
		    const struct http_request *r);

/* The connection of st is closed; frees it. */
void entrance_leave(struct entrance *e, struct stream *st);

/* One who waits for the verdict is answered busy; the entrance is closed. */
void entrance_send_away(struct entrance *e, struct stream *st);

#endif
