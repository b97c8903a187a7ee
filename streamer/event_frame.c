/* event_frame: see event_frame.h. Owns nothing. */
#include "streamer/event_frame.h"

#include <string.h>
#include "common/buf.h"
#include "common/event.h"
#include "common/jsonspan.h"
#include "common/partition.h"
#include "streamer/sse.h"

#define NAMES_MAX_BYTES ((size_t)1024 * 1024) /* a message is shorter */

/* Names of topics are written without escapes; any other spelling names none. */
static bool is_name(struct span value)
{
	return jsonspan_is_string(value) && value.len > 2 && !memchr(value.at, '\\', value.len);
}

/* The names with a NUL each; nothing when all are of one partition. */
static int collect_names(const struct event_message *m, const struct event_place *place,
			 struct buf *names)
{
	struct jsonspan_walk walk;
	struct span name, value;
	bool elsewhere = false;
	int err = 0;

	if (!m->topics.at || !jsonspan_walk(&walk, m->topics))
		return 0;
	while (!err && jsonspan_next(&walk, &name, &value) == JSONSPAN_OK) {
		struct span topic = {value.at + 1, value.len - 2};
		if (!is_name(value))
			continue;
		elsewhere |= partition_of(topic, place->n_partitions) != place->partition;
		err |= buf_append(names, topic.at, topic.len);
		err |= buf_append_char(names, '\0');
	}
	if (!elsewhere)
		buf_clear(names);
	return err;
}

struct frame *event_frame(const struct event_message *m, struct event_id id,
			  const struct event_place *place)
{
	struct sse_source from = {
		.cluster = place->n_partitions > 0,
		.partition = place->partition,
		.topic = place->topic,
		.key = m->key,
	};
	struct frame *f = NULL;
	struct buf names;

	buf_init(&names, NAMES_MAX_BYTES);
	if (!from.cluster || collect_names(m, place, &names) == 0) {
		from.names = (struct span){names.data, names.len};
		f = sse_event(m->name, m->data, id, &from);
	}
	buf_done(&names);
	return f;
}
