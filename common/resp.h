/* resp: writes a command in Redis's protocol; lengths go before bytes, so nothing in them can be
 * taken for protocol. */
#ifndef TIDINGS_COMMON_RESP_H
#define TIDINGS_COMMON_RESP_H

#include <stdint.h>
#include "common/span.h"

struct buf;

/* A command of so many words begins; exactly as many follow. Each returns 0, -ENOBUFS, -ENOMEM. */
int resp_command(struct buf *b, size_t words);
int resp_word(struct buf *b, struct span word);
int resp_text(struct buf *b, const char *word);
int resp_number(struct buf *b, uint64_t word);

#endif
