/* ticket_form: what a ticket looks like, before anybody checks it. */
#ifndef TIDINGS_STREAMER_TICKET_FORM_H
#define TIDINGS_STREAMER_TICKET_FORM_H

#include <stdbool.h>
#include "common/span.h"

/* Three parts of base64url without padding, with dots between them (RFC 7515 section 7.1); the last
 * one, the signature, may be empty. */
bool ticket_form_fits(struct span token);

#endif
