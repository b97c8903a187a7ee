/* redis_reader: bytes of Redis become replies: hiredis's parser, whose replies stand in memory of
 * the reader's own, one after the other. A stream of small messages then costs no allocation each.
 */
#ifndef TIDINGS_STREAMER_REDIS_READER_H
#define TIDINGS_STREAMER_REDIS_READER_H

#include <stddef.h>

struct redis_reader;
struct redisReply;

/* NULL when out of memory. */
struct redis_reader *redis_reader_new(void);

/* With every reply of it. NULL is fine. */
void redis_reader_free(struct redis_reader *r);

/* Takes bytes in. Returns 0, or -ENOMEM: it is of no more use. */
int redis_reader_feed(struct redis_reader *r, const char *bytes, size_t len);

/* The next whole reply, NULL in *reply when there is none yet; good until the next call. Returns 0,
 * or -EPROTO for what is no reply, has too many elements, or found no memory: the reader is of no
 * more use. */
int redis_reader_next(struct redis_reader *r, struct redisReply **reply);

/* Bytes that were fed and are not part of a reply that came out. */
size_t redis_reader_left(const struct redis_reader *r);

#endif
