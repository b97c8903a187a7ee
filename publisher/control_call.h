/* control_call: one call of control.lua, written in Redis's protocol. */
#ifndef TIDINGS_PUBLISHER_CONTROL_CALL_H
#define TIDINGS_PUBLISHER_CONTROL_CALL_H

#include <stdbool.h>
#include "common/span.h"

struct buf;
struct control;
struct topic_space;

struct control_call {
	const struct topic_space *space;
	bool sharded; /* a Cluster's channels */
	const struct control *control;
	struct span message, selector; /* of it, as JSON */
};

/* Appends the call to b: by the script's digest, or with its text. Returns 0, -ENOBUFS, -ENOMEM. */
int control_call_write(const struct control_call *call, bool with_text, struct buf *b);

#endif
