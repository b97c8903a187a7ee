/* ticket_place: where the ticket of a request stands: `Authorization: Bearer`, else `ticket` in
 * query or body, else a cookie. */
#ifndef TIDINGS_STREAMER_TICKET_PLACE_H
#define TIDINGS_STREAMER_TICKET_PLACE_H

struct ask;
struct http_request;

/* a->ticket is what query or body said (subscribe_form.c), if anything. Finds the one that counts,
 * and takes `ticket=` out of a->uri. cookie: the name of the cookie; "": there is none. Returns 0,
 * -EINVAL when Authorization stands there twice, -ENOMEM. */
int ticket_place_find(struct ask *a, const struct http_request *r, const char *cookie);

#endif
