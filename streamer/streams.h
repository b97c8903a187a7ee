/* streams: the life of every stream: it waits for its verdict, is admitted (head sent), and each of
 * its legs goes WAITING (for Redis) ⇄ PACED (for the socket, while it gets what it missed) → LIVE.
 * Joins the hubs, keeps alive, says good-bye. */
#ifndef TIDINGS_STREAMER_STREAMS_H
#define TIDINGS_STREAMER_STREAMS_H

#include "streamer/stream.h"

/* ops and arg are to be set before the first stream. Returns 0 or -ENOMEM. */
int streams_init(struct streams *all, const struct streams_config *config, struct stats *stats);
void streams_done(struct streams *all);

/* A stream that waits for its verdict; takes ask over. NULL when out of memory (ask is freed). */
struct stream *stream_new(struct streams *all, struct client *c, struct ask *ask,
			  const struct client_ip *ip);

/* The listener may hear all of its topics: sends the head and joins them. */
void stream_admit(struct stream *st);

/* Its client is gone: leaves everything and frees it. auth is NULL by now. */
void stream_free(struct stream *st);

/* A position shall be taken, so that quiet streams do not stay behind, and holes be looked for. */
void streams_take_position(struct streams *all);

/* Its socket has taken all (client_ops.empty). */
void stream_empty(struct stream *st);

/* News from Redis (redis_link_ops); messages go to delivery.h, answers to rounds.h. */

/* A server can be subscribed at, and nothing is subscribed at this moment. server: its name where
 * it may be another one than before, else "". */
void streams_connected(struct partition *in, const char *server);
void streams_disconnected(struct partition *in);
/* The oldest open SUBSCRIBE was answered. */
void streams_subscribed(struct partition *in, bool refused);
void streams_may_ask(struct partition *in);

/* sse.bye and a jittered retry to one stream, then its end. */
void stream_bye(struct stream *st);

/* `retry:` of a good-bye, and of who is turned away while the worker ends. */
uint64_t streams_bye_retry(const struct streams *all);

#endif
