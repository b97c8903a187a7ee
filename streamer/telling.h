/* telling: what a stream says of itself: where it is, and what became of its topics. */
#ifndef TIDINGS_STREAMER_TELLING_H
#define TIDINGS_STREAMER_TELLING_H

#include <stddef.h>

struct buf;
struct frame;
struct notice_topic;
struct stream;

/* Appends the stream's position as text; nothing while it has none. Returns 0, -ENOBUFS, -ENOMEM.
 */
int telling_append_cursor(struct buf *b, const struct stream *st);

/* The position as a block of its own, NULL when out of memory. At least one leg has one. */
struct frame *telling_position(const struct stream *st);

/* The stream's topics in request order, with the faults that were not told yet. out has room for
 * all, at most LOG_READ_TOPICS. Returns how many. */
size_t telling_topics(const struct stream *st, struct notice_topic *out);

/* The gravest of these faults in a word, NULL: there is none. */
const char *telling_fault(const struct stream *st);

/* They are told. */
void telling_told(struct stream *st);

/* sse.open, NULL when out of memory. */
struct frame *telling_open(const struct stream *st);

#endif
