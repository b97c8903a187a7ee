/* controls: finds whom a control message means: by user in the table of users, by topic among its
 * listeners, else by a walk over all. Those who wait for their verdict are seen to by auth_forget,
 * and by the revocations that their verdict is held against.
 *
 * A message comes once for each partition, before all that is published there later, and is obeyed
 * for all of them when its first copy comes. */
#include "streamer/controls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "common/control.h"
#include "common/log.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/jitter.h"
#include "streamer/log_read.h"
#include "streamer/permit.h"
#include "streamer/revoke.h"
#include "streamer/stats.h"
#include "streamer/stream.h"
#include "streamer/trail.h"

#define KNOWN_IDS  256    /* far more than can be under way to several partitions at once */
#define MOST_LINES 1000   /* on the log of one message: the loop has other things to do */
#define AGAIN_MS   30000u /* within which all are asked about that may have missed a message */

/* The ids of the latest messages, in a ring. */
struct control_ids {
	size_t next;
	struct {
		size_t len;
		char text[CONTROL_ID_BYTES];
	} of[KNOWN_IDS];
};

int controls_init(struct streams *all)
{
	revocations_init(&all->revocations);
	all->known_controls = calloc(1, sizeof(*all->known_controls));
	return all->known_controls ? 0 : -ENOMEM;
}

void controls_done(struct streams *all)
{
	revocations_done(&all->revocations);
	free(all->known_controls);
}

/* Returns whether it is a copy; else it is one that is known from now on. */
static bool is_copy(struct control_ids *known, const struct control *c)
{
	if (c->id_len == 0)
		return false;
	for (size_t i = 0; i < KNOWN_IDS; i++)
		if (known->of[i].len == c->id_len &&
		    memcmp(known->of[i].text, c->id, c->id_len) == 0)
			return true;
	known->of[known->next].len = c->id_len;
	memcpy(known->of[known->next].text, c->id, c->id_len);
	known->next = (known->next + 1) % KNOWN_IDS;
	return false;
}

/* ---- whom it means ---- */

struct order {
	struct streams *all;
	const struct control *control;
	void (*obey)(struct order *o, struct stream *st);
	size_t met, noted;
};

static bool hears(const struct stream *st, const struct control_selector *who)
{
	if (who->topic_len == 0)
		return true;
	for (size_t i = 0; i < st->n_topics; i++) {
		const struct topic *t = stream_topics(st)[i].topic;
		if (control_selects_topic(who, (struct span){t->name, t->name_len}))
			return true;
	}
	return false;
}

static void meet(struct order *o, struct stream *st)
{
	const struct control_selector *who = &o->control->who;

	if (!st->admitted || !client_is_open(st->client) ||
	    !control_selects_user(who, permit_user(st)) || !hears(st, who))
		return;
	o->met++;
	o->obey(o, st);
}

static struct permit *permit_of(struct user_entry *e)
{
	return (struct permit *)((char *)e - offsetof(struct permit, user));
}

static void meet_user(struct order *o, struct span name)
{
	struct user_entry *e = users_first(&o->all->users, name), *next;

	for (; e; e = next) {
		next = e->next;
		meet(o, permit_of(e)->stream);
	}
}

static void meet_topic(struct order *o, struct span name)
{
	for (unsigned i = 0; i < o->all->n_partitions; i++) {
		struct topic *t = hub_find(&o->all->partitions[i].hub, name);
		struct subscription *s, *following;

		if (!t)
			continue;
		TOPIC_EACH(t, s, following)
		meet(o, ((struct leg *)s->listener)->stream);
	}
}

/* A stream stands in each of its partitions. */
static void meet_all(struct order *o)
{
	for (unsigned i = 0; i < o->all->n_partitions; i++)
		for (struct leg *leg = o->all->partitions[i].first; leg; leg = leg->next)
			if (leg == &leg->stream->legs[0])
				meet(o, leg->stream);
}

static void meet_them(struct order *o)
{
	const struct control_selector *who = &o->control->who;
	struct span topic = {who->topic, who->topic_len};

	if (who->user_len > 0)
		meet_user(o, (struct span){who->user, who->user_len});
	else if (topic.len > 0 && !topic_pattern_open(topic))
		meet_topic(o, topic);
	else
		meet_all(o);
}

/* ---- what is to be done ---- */

static void count(struct order *o, struct stream *st)
{
	(void)o, (void)st;
}

/* topic.at == NULL: all of them. */
static void note(struct order *o, const struct stream *st, enum refusal_reason reason,
		 struct span topic)
{
	const struct refusal refusal = {.reason = reason, .topic = topic, .user = permit_user(st)};

	if (o->noted++ < MOST_LINES)
		trail_refused(st, &refusal);
	else
		trail_counted(st, reason);
}

static void disconnect(struct order *o, struct stream *st)
{
	note(o, st, REFUSAL_DISCONNECTED, (struct span){NULL, 0});
	stream_revoke_all(st, revoke_retry(st, o->met));
}

struct taking {
	struct order *order;
	const struct stream *from;
};

static bool is_meant(void *arg, struct span topic)
{
	const struct taking *t = arg;

	if (!control_selects_topic(&t->order->control->who, topic))
		return false;
	if (!t->from->poll) /* which sees to that itself */
		note(t->order, t->from, REFUSAL_REVOKED, topic);
	return true;
}

static void take_away(struct order *o, struct stream *st)
{
	struct taking taking = {.order = o, .from = st};

	stream_revoke(st, is_meant, &taking, revoke_retry(st, o->met));
}

/* A ticket speaks for itself. Many are not asked about in one moment (recheck.c). */
static void recheck(struct order *o, struct stream *st)
{
	(void)o;
	if (st->permit && st->permit->kept)
		permit_hurry(st->permit, 0);
}

static void ask_again(struct order *o, struct stream *st)
{
	(void)o;
	if (st->permit && st->permit->kept)
		permit_hurry(st->permit, (double)jitter_between(0, AGAIN_MS) / 1000.);
}

static void keep_revocation(struct streams *all, const struct control *c)
{
	double until = clock_seconds() + c->seconds;

	if (c->seconds == 0)
		revocations_lift(&all->revocations, &c->who);
	else if (revocations_add(&all->revocations, &c->who, until) != 0)
		log_error("out of memory: a revocation does not outlast this moment");
}

static void obey(struct streams *all, const struct control *c)
{
	static void (*const deeds[])(struct order * o, struct stream * st) = {
		[CONTROL_DISCONNECT] = disconnect,
		[CONTROL_RECHECK] = recheck,
		[CONTROL_REVOKE] = take_away,
	};
	bool lifts = c->kind == CONTROL_REVOKE && c->seconds == 0;
	struct order order = {.all = all, .control = c, .obey = lifts ? count : deeds[c->kind]};

	if (c->kind == CONTROL_REVOKE)
		keep_revocation(all, c);
	if (all->on_forget)
		all->on_forget(all->owner, &c->who);
	meet_them(&order);
	trail_control(c, order.met);
}

void controls_message(struct streams *all, struct span message)
{
	struct control_error error;
	struct control c;

	if (control_parse(message, &c, &error) != 0) {
		all->stats->malformed++;
		log_warn("a control message can't be obeyed: %s%s%s",
			 error.field ? error.field : "", error.field ? ": " : "", error.why);
		return;
	}
	if (is_copy(all->known_controls, &c))
		return;
	all->stats->controls++;
	obey(all, &c);
}

/* ---- what is in force ---- */

static void learn(struct streams *all, const struct log_revocation *told)
{
	struct control c = {.kind = CONTROL_REVOKE, .seconds = 1};
	struct order order = {.all = all, .control = &c, .obey = take_away};
	struct span text = told->text;

	if (text.len < 1 ||
	    control_selector_parse((struct span){text.at + 1, text.len - 1}, &c.who) != 0)
		return;
	if (text.at[0] == '-')
		revocations_lift(&all->revocations, &c.who);
	if (text.at[0] != '+')
		return;
	if (revocations_add(&all->revocations, &c.who,
			    clock_seconds() + (double)told->left_ms / 1000.) != 0)
		log_error("out of memory: a revocation does not outlast this moment");
	meet_them(&order);
}

/* A disconnect or a recheck is said once, and may have been said when nobody here heard it. */
static void doubt(struct streams *all)
{
	static const struct control everybody = {.kind = CONTROL_RECHECK};
	struct order order = {.all = all, .control = &everybody, .obey = ask_again};

	if (all->on_forget)
		all->on_forget(all->owner, &everybody.who);
	meet_all(&order);
}

void controls_learn(struct streams *all, const struct log_answer *a)
{
	if (all->missed)
		doubt(all);
	all->missed = false;
	for (size_t i = 0; i < a->n_revocations; i++)
		learn(all, &a->revocations[i]);
}
