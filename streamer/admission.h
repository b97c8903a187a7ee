/* admission: a stream's beginning and end: it waits for its verdict, is admitted (head sent, topics
 * joined), and leaves. */
#ifndef TIDINGS_STREAMER_ADMISSION_H
#define TIDINGS_STREAMER_ADMISSION_H

#include "streamer/stream.h"

/* A stream that waits for its verdict; takes ask over. NULL when out of memory (ask is freed). */
struct stream *stream_new(struct streams *all, struct client *c, struct ask *ask,
			  const struct client_ip *ip);

/* The listener may hear all of its topics: sends the head and joins them. */
void stream_admit(struct stream *st);

/* Its client is gone: leaves everything and frees it. auth is NULL by now. */
void stream_free(struct stream *st);

#endif
