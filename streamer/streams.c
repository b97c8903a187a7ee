/* streams: takes each stream from its admission on. Owns the partitions, the hubs in which streams
 * meet, and the wheels of time. Learns of Redis through the functions named streams_* and asks it
 * through streams_ops, so that it knows no connection; bytes go out through client.c.
 *
 * How a stream becomes live, each leg in its partition: its topics join the hub → Redis has
 * answered every SUBSCRIBE up to then (opening.c) → one question to the logs for all who are ready
 * (rounds.c), and what arrives from here on is kept (recent.c) → the answer: sse.open when all legs
 * have theirs, what was missed (resume.c), what was kept and is above that, then everything as it
 * comes (delivery.c). After a loss of Redis the same happens again without sse.open, from the
 * position of each leg. */
#include "streamer/streams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/control.h"
#include "common/log.h"
#include "common/partition.h"
#include "common/topic.h"
#include "streamer/client.h"
#include "streamer/controls.h"
#include "streamer/jitter.h"
#include "streamer/notice.h"
#include "streamer/permit.h"
#include "streamer/poll.h"
#include "streamer/pulse.h"
#include "streamer/replay.h"
#include "streamer/resume.h"
#include "streamer/rounds.h"
#include "streamer/stats.h"

#define LINGER_SECONDS  5. /* a topic stays subscribed after its last listener */
#define TAIL_SECONDS    5. /* what was read from a log serves the next ones */
#define RECENT_EVENTS   8192
#define RECENT_BYTES    ((size_t)32 * 1024 * 1024)
#define BUSY_RETRY_LOW  5000u
#define BUSY_RETRY_HIGH 30000u

/* ---- topics at Redis (hub_ops) ---- */

static size_t channel_of(const struct partition *in, const struct topic *t, char *channel)
{
	return topic_channel(&in->space, (struct span){t->name, t->name_len}, channel);
}

void streams_subscribe(struct partition *in, struct topic *t)
{
	struct streams *all = in->all;
	char channel[TOPIC_KEY_MAX_BYTES];
	size_t len = channel_of(in, t, channel);

	t->refused = false;
	if (all->ops->subscribe(all->arg, in->number, (struct span){channel, len}))
		t->asked = ++in->asked;
}

/* Before all topics: whoever may hear these has heard by then who may not. */
static void subscribe_control(struct partition *in)
{
	char channel[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_channel(&in->space, span_of(CONTROL_TOPIC), channel);

	if (in->all->ops->subscribe(in->all->arg, in->number, (struct span){channel, len}))
		in->control_asked = ++in->asked;
}

static void on_wanted(void *arg, struct topic *t)
{
	struct partition *in = arg;
	if (in->connected)
		streams_subscribe(in, t);
}

static void on_unwanted(void *arg, struct topic *t)
{
	struct partition *in = arg;
	char channel[TOPIC_KEY_MAX_BYTES];
	size_t len = channel_of(in, t, channel);

	rounds_forget_topic(in, t);
	if (in->connected)
		in->all->ops->unsubscribe(in->all->arg, in->number, (struct span){channel, len});
}

static const struct hub_ops hub_ops = {.wanted = on_wanted, .unwanted = on_unwanted};

/* ---- news from Redis ---- */

void streams_may_ask(struct partition *in)
{
	in->tick_due = true; /* the answer proves the connection, whoever needs it */
	rounds_go_on(in);
}

static void turn_away(struct stream *st)
{
	if (st->poll) {
		poll_turn_away(st);
		return;
	}
	client_push_taken(st->client, notice_busy("Redis refuses the subscription",
						  jitter_between(BUSY_RETRY_LOW, BUSY_RETRY_HIGH)));
	client_end(st->client);
}

/* Control messages come through this partition, or not any more. */
static void hear(struct partition *in, bool hearing)
{
	struct streams *all = in->all;

	if (in->hearing == hearing)
		return;
	in->hearing = hearing;
	all->n_hearing += hearing ? 1u : -1u;
	all->missed |= all->n_hearing == 0;
}

/* Its listeners would wait, or be deaf, without knowing: they are told to come back later. */
static void refuse(struct partition *in, uint64_t number)
{
	struct subscription *s, *following;
	struct topic *t;

	if (number == in->control_asked)
		log_error("control messages are not heard: nobody can be disconnected, and of what "
			  "is revoked nothing is known until the next connection to redis");
	HUB_EACH(&in->hub, t)
	{
		if (t->asked != number)
			continue;
		t->refused = true;
		TOPIC_EACH(t, s, following)
		turn_away(((struct leg *)s->listener)->stream);
	}
}

void streams_subscribed(struct partition *in, bool refused)
{
	if (in->answered == in->asked)
		return;
	in->answered++;
	if (refused)
		refuse(in, in->answered);
	else if (in->answered == in->control_asked)
		hear(in, true);
	opening_confirm(&in->opening, in->answered);
	rounds_go_on(in);
}

/* Who was live, or on its way, goes on from where it is. */
void streams_begin(struct leg *leg)
{
	struct stream *st = leg->stream;
	struct partition *in = leg->in;

	if (leg->ready && !st->opened)
		return; /* it waits for the other legs */
	if (st->opened && !leg->replay)
		leg->replay = replay_new(leg->n_topics, leg->position, false);
	if (st->opened && !leg->replay) {
		client_close(st->client, CLIENT_NO_MEMORY);
		return;
	}
	if (leg->replay) {
		leg->replay->live = (struct event_id){0, 0};
		leg->replay->turn = REPLAY_FIRST;
	}
	client_limit(st->client, false);
	opening_wait(&in->opening, &leg->opening, in->asked, in->answered);
}

/* What the server that is connected now is asked to know: what was heard before it. Until a server
 * has answered that, what was heard from it meanwhile is no part of the question. */
static void remember_heard(struct partition *in)
{
	struct heard_before *b = &in->before;
	const struct heard *h = &in->heard;

	if (in->verify && strcmp(b->server, in->server) == 0)
		b->known = h->known;
	if (in->verify)
		return;
	b->known = h->known;
	b->latest = h->latest;
	b->newest_len = h->newest_len;
	memcpy(b->newest, h->newest, h->newest_len);
	memcpy(b->server, in->server, sizeof(b->server));
}

/* Ids are compared anew from here on: a Redis that lost its memory may begin below what was heard.
 */
void streams_connected(struct partition *in, const char *server)
{
	struct topic *t;

	remember_heard(in);
	if (strcmp(in->server, server) != 0)
		in->clock.known = false; /* after a failover ids jump ahead */
	snprintf(in->server, sizeof(in->server), "%s", server);
	in->connected = true;
	in->verify = in->tick_due = in->learn = true;
	subscribe_control(in);
	HUB_EACH(&in->hub, t)
	{
		t->last_id = t->since = (struct event_id){0, 0};
		streams_subscribe(in, t);
	}
	if (!in->connected) /* lost again while asking */
		return;
	for (struct leg *leg = in->first; leg; leg = leg->next)
		if (leg->state != LEG_PACED)
			streams_begin(leg);
	rounds_go_on(in);
}

void streams_disconnected(struct partition *in)
{
	in->connected = false;
	hear(in, false);
	in->answered = in->asked;
	rounds_break(in);
	for (struct leg *leg = in->first; leg; leg = leg->next) {
		resume_stop_waiting(leg);
		if (leg->state != LEG_PACED)
			leg->state = LEG_WAITING;
	}
}

/* It has sent all that it was given, and goes on. */
void stream_empty(struct stream *st)
{
	for (size_t i = 0; i < st->n_legs; i++) {
		struct leg *leg = &st->legs[i];

		if (leg->state != LEG_PACED)
			continue;
		leg->state = LEG_WAITING;
		if (leg->in->connected) {
			streams_begin(leg);
			rounds_go_on(leg->in);
		}
	}
}

/* ---- ends ---- */

uint64_t streams_bye_retry(const struct streams *all)
{
	return jitter_around(all->config.retry_ms) + jitter_between(0, all->config.drain_ms);
}

void stream_bye(struct stream *st)
{
	if (st->poll) {
		poll_give_up(st, streams_bye_retry(st->all));
		return;
	}
	client_push_taken(st->client, notice_bye(streams_bye_retry(st->all)));
	client_end(st->client);
}

/* Only where somebody listens: who comes later asks for a position of its own. */
void streams_take_position(struct streams *all)
{
	for (unsigned i = 0; i < all->n_partitions; i++) {
		struct partition *in = &all->partitions[i];

		if (all->n_partitions > 1 && !in->hub.topics && !in->first)
			continue;
		in->tick_due = true;
		rounds_go_on(in);
	}
}

/* ---- all ---- */

static void partition_init(struct partition *in, struct streams *all, unsigned number)
{
	char tag[PARTITION_TAG_BYTES] = "";

	in->all = all;
	in->number = number;
	if (all->cluster)
		partition_tag(number, all->n_partitions, tag);
	topic_space_init(&in->space, all->config.topic_prefix, tag);
	hub_init(&in->hub, LINGER_SECONDS, &hub_ops, in);
	opening_init(&in->opening);
	deadline_list_init(&in->tails, TAIL_SECONDS);
	recent_init(&in->recent, RECENT_EVENTS, RECENT_BYTES);
}

static void partition_done(struct partition *in)
{
	struct topic *t;

	HUB_EACH(&in->hub, t)
	rounds_forget_topic(in, t);
	recent_done(&in->recent);
	hub_done(&in->hub);
	free(in->round.topics);
	free(in->round.suspects);
}

int streams_init(struct streams *all, const struct streams_config *config, struct stats *stats)
{
	memset(all, 0, sizeof(*all));
	all->config = *config;
	all->stats = stats;
	all->on_hole = rounds_hole;
	all->go_on = rounds_go_on;
	all->on_control = controls_message;
	all->on_revocations = controls_learn;
	all->cluster = config->partitions > 0;
	all->n_partitions = all->cluster ? config->partitions : 1;
	batch_init(&all->batch);
	all->partitions = calloc(all->n_partitions, sizeof(*all->partitions));
	if (!all->partitions)
		return -ENOMEM;
	for (unsigned i = 0; i < all->n_partitions; i++)
		partition_init(&all->partitions[i], all, i);
	if (permits_init(all) != 0 || controls_init(all) != 0)
		return -ENOMEM;
	return pulse_init(all);
}

void streams_done(struct streams *all)
{
	for (unsigned i = 0; all->partitions && i < all->n_partitions; i++)
		partition_done(&all->partitions[i]);
	free(all->partitions);
	batch_done(&all->batch);
	controls_done(all);
	permits_done(all);
	pulse_done(all);
}
