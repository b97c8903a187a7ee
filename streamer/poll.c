/* poll: a stream that is gathered instead of sent. Owns what it gathers; opening and replay are the
 * same as of any stream. */
#include "streamer/poll.h"

#include <stdlib.h>
#include <time.h>
#include "common/jsonspan.h"
#include "streamer/answer.h"
#include "streamer/ask.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/frame.h"
#include "streamer/jitter.h"
#include "streamer/notice.h"
#include "streamer/permit.h"
#include "streamer/sse.h"
#include "streamer/stream.h"
#include "streamer/stats.h"
#include "streamer/telling.h"
#include "streamer/trail.h"

#define MAX_EVENTS       1000
#define MAX_BYTES        ((size_t)1024 * 1024) /* of events; one more may pass it */
#define ROOM_BYTES       ((size_t)64 * 1024 * 1024)
#define PATIENCE_SECONDS 5. /* for Redis to answer */
#define BUSY_LOW_MS      5000u
#define BUSY_HIGH_MS     30000u

struct poll *poll_new(struct stream *st, const struct ask *ask)
{
	struct poll *p = calloc(1, sizeof(*p) + ask->n_topics * sizeof(p->faulty[0]));

	if (!p)
		return NULL;
	p->kind = ask->cursor_only ? POLL_CURSOR : ask->head ? POLL_HEAD : POLL_EVENTS;
	p->until = clock_seconds() + ask->wait_seconds;
	p->give_up = p->until + PATIENCE_SECONDS;
	p->stream = st;
	buf_init(&p->events, ROOM_BYTES);
	buf_init(&p->reset, ROOM_BYTES);
	return p;
}

void poll_free(struct poll *p)
{
	if (!p)
		return;
	wheel_remove(&p->entry);
	buf_done(&p->events);
	buf_done(&p->reset);
	free(p);
}

bool poll_full(const struct poll *p)
{
	return p->n >= MAX_EVENTS || p->events.len > MAX_BYTES;
}

static int append_data(struct buf *b, struct frame *f)
{
	struct buf data;

	buf_init(&data, ROOM_BYTES);
	int err = sse_event_data(f, &data);
	if (!err)
		err = jsonspan_append_string(b, data.data ? data.data : "", data.len);
	buf_done(&data);
	return err;
}

static int append_id(struct buf *b, const struct frame *f, bool cluster)
{
	char id[EVENT_ID_MAX_BYTES + 1];

	event_id_format(f->id, id);
	if (cluster)
		return buf_printf(b, ",\"id\":\"%u:%s\"", f->partition, id);
	return buf_printf(b, ",\"id\":\"%s\"", id);
}

static int append_event(struct buf *b, struct frame *f, bool cluster)
{
	struct span name = sse_event_name(f);
	int err = buf_append_str(b, b->len ? ",{\"event\":" : "{\"event\":");

	err |= jsonspan_append_string(b, name.at, name.len);
	err |= buf_append_str(b, ",\"data\":");
	err |= append_data(b, f);
	if (!event_id_is_zero(f->id))
		err |= append_id(b, f, cluster);
	return err | buf_append_char(b, '}');
}

void poll_add(struct stream *st, struct frame *f)
{
	struct poll *p = st->poll;

	if (p->answered)
		return;
	p->n++;
	if (append_event(&p->events, f, st->all->cluster) != 0)
		client_close(st->client, CLIENT_NO_MEMORY);
	else if (stream_is_live(st))
		poll_answer(st, false);
}

/* A later fault is told with the topics of those before. */
void poll_reset(struct stream *st, const char *fault)
{
	struct notice_topic topics[LOG_READ_TOPICS];
	struct poll *p = st->poll;
	size_t n = telling_topics(st, topics);

	p->reason = fault;
	for (size_t i = 0; i < n; i++)
		topics[i].faulty = p->faulty[i] |= topics[i].faulty;
	buf_clear(&p->reset);
	if (notice_append_topics(&p->reset, topics, n, true) != 0)
		client_close(st->client, CLIENT_NO_MEMORY);
}

/* ---- the answer ---- */

static struct answer_to answer_to(const struct stream *st)
{
	return (struct answer_to){
		.cors = st->all->config.cors,
		.origin = st->ask->origin,
		.head = st->ask->head,
		.event_stream = st->ask->event_stream,
		.now = time(NULL),
	};
}

static int append_cursor(struct buf *b, struct span cursor)
{
	int err = buf_append_str(b, "\"cursor\":\"");
	err |= buf_append(b, cursor.at, cursor.len);
	return err | buf_append_str(b, "\"}");
}

static int append_body(struct buf *b, const struct stream *st, bool more, struct span cursor)
{
	struct notice_topic topics[LOG_READ_TOPICS];
	const struct poll *p = st->poll;

	if (p->kind == POLL_CURSOR)
		return buf_append_char(b, '{') | append_cursor(b, cursor);
	int err = buf_append_str(b, "{\"topics\":");
	err |= notice_append_topics(b, topics, telling_topics(st, topics), false);
	err |= buf_printf(b, ",\"resumed\":%s,\"reset\":", st->resumed ? "true" : "false");
	err |= p->reset.len ? buf_append(b, p->reset.data, p->reset.len) : buf_append_str(b, "[]");
	if (p->reset.len)
		err |= buf_printf(b, ",\"reason\":\"%s\"", p->reason);
	err |= buf_append_str(b, ",\"events\":[");
	err |= buf_append(b, p->events.data ? p->events.data : "", p->events.len);
	err |= buf_printf(b, "],\"more\":%s,", more ? "true" : "false");
	return err | append_cursor(b, cursor);
}

/* What it has gathered meanwhile it does not get. */
static struct frame *denial(const struct stream *st, struct span topic)
{
	const struct refusal refusal = {
		.reason = REFUSAL_REVOKED, .topic = topic, .user = permit_user(st)};
	struct answer_to to = answer_to(st);
	char words[ANSWER_DENIAL_BYTES];

	trail_refused(st, &refusal);
	st->all->stats->failed++;
	return answer_error(&to, 403, span_of(answer_denial(topic, words)), NULL, NULL);
}

/* A revocation may have come since it was let in. */
static void finish(struct stream *st, struct frame *answer)
{
	size_t revoked = permit_find_revoked(st);

	if (revoked < st->ask->n_topics) {
		frame_unref(answer);
		answer = denial(st, st->ask->topics[revoked]);
	}
	st->poll->answered = true;
	wheel_remove(&st->poll->entry);
	client_push_taken(st->client, answer);
	client_end(st->client);
	st->all->poll_answered(st->all->owner, st);
}

static struct frame *json_answer(const struct stream *st, bool more, struct span cursor)
{
	struct answer_to to = answer_to(st);
	struct frame *answer = NULL;
	struct buf body;

	buf_init(&body, ROOM_BYTES);
	if (append_body(&body, st, more, cursor) == 0)
		answer = answer_json(&to, 200, (struct span){body.data, body.len});
	buf_done(&body);
	return answer;
}

void poll_answer(struct stream *st, bool more)
{
	struct answer_to to = answer_to(st);
	struct frame *answer = NULL;
	struct buf text;

	if (st->poll->answered)
		return;
	buf_init(&text, ROOM_BYTES);
	if (telling_append_cursor(&text, st) == 0) {
		struct span cursor = {text.data, text.len};
		answer = st->poll->kind == POLL_HEAD ? answer_stream_head_at(&to, cursor)
						     : json_answer(st, more, cursor);
	}
	buf_done(&text);
	finish(st, answer);
}

void poll_is_live(struct stream *st)
{
	struct poll *p = st->poll;

	if (!p->answered &&
	    (p->kind != POLL_EVENTS || p->n > 0 || p->reset.len > 0 || clock_seconds() >= p->until))
		poll_answer(st, false);
}

/* Who asks with HEAD wants to know whether there is a stream; there is one without Redis too. */
void poll_give_up(struct stream *st, uint64_t retry_ms)
{
	struct answer_to to = answer_to(st);

	if (st->poll->kind == POLL_HEAD)
		finish(st, answer_stream_head(&to));
	else
		finish(st, answer_busy(&to, "Not ready. Try again later.", retry_ms));
}

void poll_turn_away(struct stream *st)
{
	poll_give_up(st, jitter_between(BUSY_LOW_MS, BUSY_HIGH_MS));
}

void poll_tick(struct poll *p)
{
	struct stream *st = p->stream;
	double now = clock_seconds();

	if (stream_is_live(st) && now >= p->until)
		poll_answer(st, false);
	else if (!stream_is_live(st) && now >= p->give_up)
		poll_turn_away(st);
}
