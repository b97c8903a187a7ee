/* client_inside: what the files of a client know of it; for nobody else. */
#ifndef TIDINGS_STREAMER_CLIENT_INSIDE_H
#define TIDINGS_STREAMER_CLIENT_INSIDE_H

#include "streamer/client.h"

/* events: EV_READ, EV_WRITE, both. */
void client_watch(struct client *c, int events);

/* It is flushed at the end of this turn. */
void client_make_pending(struct client *c);

/* Something can be read. */
void client_read(struct client *c);

/* No request can be read: says so. r: its head where that could be read, else NULL. */
void client_refuse(struct client *c, const struct http_error *error, const struct http_request *r);

/* All is sent. */
void client_linger(struct client *c);

/* timer serves list. */
void client_start_deadline(struct client *c, struct deadline_list *list, ev_timer *timer);

#endif
