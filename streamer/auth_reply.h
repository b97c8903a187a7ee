/* auth_reply: what one answer of the auth URL means, and what the answers for all topics of a
 * listener mean together. Pure: no socket, no clock. */
#ifndef TIDINGS_STREAMER_AUTH_REPLY_H
#define TIDINGS_STREAMER_AUTH_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include "common/control.h"
#include "common/span.h"

#define AUTH_DETAIL_MAX_BYTES 1024
#define AUTH_HEADER_MAX_BYTES 256

enum auth_outcome {
	AUTH_PENDING, /* no answer yet */
	AUTH_ALLOW,
	AUTH_DENY,
	AUTH_BUSY, /* no verdict could be had: never an admission, never a permanent no */
};

struct auth_verdict {
	enum auth_outcome outcome;
	unsigned status; /* of the answer */
	double until;    /* AUTH_ALLOW: by the asker's clock, then it is to be asked anew; 0: the
			    answer does not say */
	char user[CONTROL_USER_BYTES + 1];            /* "" when the answer does not say */
	char www_authenticate[AUTH_HEADER_MAX_BYTES]; /* "" when there is none or it is too long to
							 pass on */
	char detail[AUTH_DETAIL_MAX_BYTES +
		    1]; /* the backend's own words, UTF-8; "" when there are none */
};

/* Reads one HTTP answer: 2xx allows, 401 and 403 deny with the words of a JSON `detail`, the rest
 * is busy. */
void auth_reply_read(unsigned status, struct span www_authenticate, struct span body,
		     struct auth_verdict *out);

/* Adds to a verdict whose stream it is, and from when on that is to be asked anew: so many seconds
 * from `now` (at == NULL: the answer does not say). A verdict that allows and says either in a form
 * that can't be read becomes busy; returns false then. */
bool auth_reply_grant(struct span user, struct span expires, double now, struct auth_verdict *out);

/* A verdict without words: AUTH_ALLOW, AUTH_DENY (403) or AUTH_BUSY. Static. */
const struct auth_verdict *auth_reply_plain(enum auth_outcome outcome);

/* Decides over the verdicts of a listener's topics in request order. A denial decides as soon as
 * every topic before it is allowed or busy; busy only where none is denied. Returns the outcome,
 * AUTH_PENDING while it is open; *deciding is the index of the denial, or of the first busy one. */
enum auth_outcome auth_reply_decide(const struct auth_verdict *const *verdicts, size_t n,
				    size_t *deciding);

#endif
