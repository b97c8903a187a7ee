/* decode_control: from the body of a request to a control message. What it may say, common/control
 * knows. */
#ifndef TIDINGS_PUBLISHER_DECODE_CONTROL_H
#define TIDINGS_PUBLISHER_DECODE_CONTROL_H

#include "common/span.h"

struct control;
struct decode_media;
struct response;

/* Reads JSON, or a form of the same: `revoke[user]=42&revoke[seconds]=3600`. Returns 0, or -1 with
 * the answer in r. */
int decode_control(struct span body, const struct decode_media *media, struct control *out,
		   struct response *r);

#endif
