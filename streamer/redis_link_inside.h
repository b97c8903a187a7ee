/* redis_link_inside: what the files of a link know of it; for nobody else. */
#ifndef TIDINGS_STREAMER_REDIS_LINK_INSIDE_H
#define TIDINGS_STREAMER_REDIS_LINK_INSIDE_H

#include <ev.h>
#include "common/topic.h"
#include "streamer/fifo.h"
#include "streamer/redis_conn.h"
#include "streamer/redis_half.h"
#include "streamer/redis_link.h"
#include "streamer/replay_call.h"

struct redis_link {
	struct ev_loop *loop;
	struct redis_link_config config;
	const struct redis_ops *ops;
	void *arg;
	struct topic_space *spaces; /* of all partitions */
	size_t tag_at;              /* where the tag of a channel begins */
	struct redis_half subscriber, asker;
	ev_timer watchdog;
	struct fifo subscribes;   /* open SUBSCRIBEs: their partitions */
	struct fifo unsubscribes; /* open SUNSUBSCRIBEs: hashes of their channels */
	bool ever_up;
	uint64_t reconnects, errors;

	/* redis_asker.c: */
	struct fifo questions; /* open ones: partition and number of topics */
	bool info_open;        /* the first question of a new asker is out */
	bool in_full;          /* Redis does not know the script: it goes with the next question */
	size_t full_open;      /* open questions that have it */
	ev_timer pause;        /* runs while nothing is asked, though the asker is up */
	uint64_t n_questions;

	unsigned n_partitions, n_served;
	bool served[];
};

#define REDIS_LINK_NOBODY UINT64_MAX /* in subscribes: of a partition that was let go meanwhile */

extern const struct redis_conn_ops redis_subscriber_ops;
void redis_subscriber_lost(struct redis_link *l, const char *why);

extern const struct redis_conn_ops redis_asker_ops;
void redis_asker_init(struct redis_link *l);
void redis_asker_done(struct redis_link *l);
void redis_asker_lost(struct redis_link *l, const char *why);
/* Its open question fails. */
void redis_asker_forget(struct redis_link *l, unsigned partition);

/* h is up now: drops the other half where that has another server. */
void redis_link_agree(struct redis_link *l, struct redis_half *h, struct redis_half *other);
/* Serves it now. */
bool redis_link_has(const struct redis_link *l, unsigned partition);
/* Tells the owner of each partition that it can be subscribed at, or no longer is. */
void redis_link_tell(struct redis_link *l, bool connected);
/* The partition is not here. */
void redis_link_stray(struct redis_link *l, unsigned partition);
/* Does the error say so? */
bool redis_link_is_stray(struct span error);

#endif
