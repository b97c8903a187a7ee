/* cursor_text: a listener's position as text, in id lines and in cursors that come back.
 *
 *   one order of ids     1764000000000-4
 *   a Cluster            3:1764000000000-4,7:1764000000007-0
 *
 * On a Cluster: partition and position of each partition that the connection listens to, partitions
 * rising. */
#ifndef TIDINGS_STREAMER_CURSOR_TEXT_H
#define TIDINGS_STREAMER_CURSOR_TEXT_H

#include <stdbool.h>
#include "common/cursor.h"
#include "common/span.h"

struct buf;

#define CURSOR_TEXT_PAIR_BYTES (EVENT_ID_MAX_BYTES + 6) /* of one partition, with its comma */

bool cursor_text_valid(struct span text, bool cluster);

/* The position in one partition; text is valid. False: it has none there. */
bool cursor_text_find(struct span text, bool cluster, unsigned partition, struct event_id *id);

/* Appends one position; behind others with a comma. Returns 0, -ENOBUFS, -ENOMEM. */
int cursor_text_append(struct buf *b, bool cluster, unsigned partition, struct event_id id);

#endif
