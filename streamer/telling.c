/* telling: see telling.h. Looks at the legs of a stream; sends nothing. */
#include "streamer/telling.h"

#include "common/buf.h"
#include "streamer/cursor_text.h"
#include "streamer/notice.h"
#include "streamer/replay.h"
#include "streamer/sse.h"
#include "streamer/stream.h"

#define CURSOR_MAX_BYTES ((size_t)64 * 1024) /* 1024 positions fit */

int telling_append_cursor(struct buf *b, const struct stream *st)
{
	int err = 0;

	for (size_t i = 0; i < st->n_legs && !err; i++) {
		const struct leg *leg = &st->legs[i];
		if (!event_id_is_zero(leg->position))
			err = cursor_text_append(b, st->all->cluster, leg->in->number,
						 leg->position);
	}
	return err;
}

struct frame *telling_position(const struct stream *st)
{
	struct frame *f = NULL;
	struct buf text;

	buf_init(&text, CURSOR_MAX_BYTES);
	if (telling_append_cursor(&text, st) == 0)
		f = sse_position((struct span){text.data, text.len});
	buf_done(&text);
	return f;
}

static size_t add_topics(const struct leg *leg, size_t first, struct notice_topic *out)
{
	const uint16_t *order = leg->stream->order;

	for (size_t i = 0; i < leg->n_topics; i++) {
		const struct topic *t = leg->topics[i].topic;
		out[order ? order[first + i] : first + i] = (struct notice_topic){
			.name = {t->name, t->name_len},
			.faulty = leg->replay && leg->replay->topics[i].fresh,
		};
	}
	return first + leg->n_topics;
}

size_t telling_topics(const struct stream *st, struct notice_topic *out)
{
	size_t n = 0;

	for (size_t i = 0; i < st->n_legs; i++)
		n = add_topics(&st->legs[i], n, out);
	return n;
}

const char *telling_fault(const struct stream *st)
{
	enum replay_fault worst = REPLAY_FINE, fault;

	for (size_t i = 0; i < st->n_legs; i++) {
		const struct replay *r = st->legs[i].replay;
		if (r && replay_untold(r, &fault) > 0 && fault > worst)
			worst = fault;
	}
	return worst == REPLAY_FINE ? NULL : replay_fault_word(worst);
}

void telling_told(struct stream *st)
{
	for (size_t i = 0; i < st->n_legs; i++)
		if (st->legs[i].replay)
			replay_told(st->legs[i].replay);
}

struct frame *telling_open(const struct stream *st)
{
	struct notice_topic topics[LOG_READ_TOPICS];
	size_t n = telling_topics(st, topics);
	struct frame *f = NULL;
	uint64_t replayed = 0;
	struct buf text;

	for (size_t i = 0; i < st->n_legs; i++)
		replayed += st->legs[i].replay ? st->legs[i].replay->count : 0;
	buf_init(&text, CURSOR_MAX_BYTES);
	if (telling_append_cursor(&text, st) == 0)
		f = notice_open(topics, n, st->resumed, replayed,
				(struct span){text.data, text.len});
	buf_done(&text);
	return f;
}
