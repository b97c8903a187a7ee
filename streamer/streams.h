/* streams: what happens to every stream that was admitted: each of its legs goes WAITING (for
 * Redis) ⇄ PACED (for the socket, while it gets what it missed) → LIVE, and back when Redis is
 * lost. */
#ifndef TIDINGS_STREAMER_STREAMS_H
#define TIDINGS_STREAMER_STREAMS_H

#include "streamer/stream.h"

/* ops and arg are to be set before the first stream. Returns 0 or -ENOMEM. */
int streams_init(struct streams *all, const struct streams_config *config, struct stats *stats);
void streams_done(struct streams *all);

/* The leg, which joined its topics, goes on its way; its partition is connected. The caller calls
 * rounds_go_on. */
void streams_begin(struct leg *leg);

/* Asks Redis for a topic of its partition. */
void streams_subscribe(struct partition *in, struct topic *t);

/* A position shall be taken, so that quiet streams do not stay behind, and holes be looked for. */
void streams_take_position(struct streams *all);

/* Its socket has taken all (client_ops.empty). */
void stream_empty(struct stream *st);

/* News from Redis (redis_ops.h); messages go to delivery.h, answers to rounds.h. */

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
