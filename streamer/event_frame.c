/* event_frame: see event_frame.h. Owns nothing. */
#include "streamer/event_frame.h"

#include <string.h>
#include "common/buf.h"
#include "common/event.h"
#include "common/jsonspan.h"
#include "common/partition.h"
#include "streamer/sse.h"

#define RIVALS_MAX_BYTES ((size_t)1024 * 1024) /* a message is shorter */

/* Names of topics are written without escapes; any other spelling names none. */
static int collect_rivals(const struct event_message *m, const struct event_place *place,
			  struct buf *rivals)
{
	struct jsonspan_walk walk;
	struct span name, value;
	int err = 0;

	if (!m->topics.at || !jsonspan_walk(&walk, m->topics))
		return 0;
	while (!err && jsonspan_next(&walk, &name, &value) == JSONSPAN_OK) {
		if (!jsonspan_is_string(value) || memchr(value.at, '\\', value.len))
			continue;
		struct span topic = {value.at + 1, value.len - 2};
		if (span_equal(topic, place->topic))
			break;
		if (topic.len == 0 || partition_of(topic, place->n_partitions) == place->partition)
			continue;
		err |= buf_append(rivals, topic.at, topic.len);
		err |= buf_append_char(rivals, '\0');
	}
	return err;
}

struct frame *event_frame(const struct event_message *m, struct event_id id,
			  const struct event_place *place)
{
	struct frame *f = NULL;
	struct buf rivals;

	if (place->n_partitions == 0)
		return sse_event(m->name, m->data, id, NULL);
	buf_init(&rivals, RIVALS_MAX_BYTES);
	if (collect_rivals(m, place, &rivals) == 0) {
		struct sse_source from = {place->partition, {rivals.data, rivals.len}};
		f = sse_event(m->name, m->data, id, &from);
	}
	buf_done(&rivals);
	return f;
}
