/* auth_batch: writes the question, reads the answer. A wrong answer admits nobody. */
#include "streamer/auth_batch.h"

#include <string.h>
#include "common/buf.h"
#include "common/jsonspan.h"
#include "common/topic.h"
#include "streamer/auth_reply.h"

#define ANSWER_DEPTH      16
#define ESCAPED_BYTES     6 /* \u0041 */
#define NAME_MAX_BYTES    (TOPIC_MAX_BYTES * ESCAPED_BYTES + 2)
#define OTHER_MEMBERS     65536
#define AROUND_NAME_BYTES 4 /* comma, blank, quotes are counted */

int auth_batch_format(const struct auth_batch *q, struct buf *b)
{
	int err = buf_append_str(b, "{\"topics\":[");

	for (size_t i = 0; i < q->n && !err; i++) {
		const struct span *topic = &q->topics[q->which[i]];
		err = i > 0 ? buf_append_char(b, ',') : 0;
		err = err ? err : jsonspan_append_string(b, topic->at, topic->len);
	}
	return err ? err : buf_append_str(b, "]}");
}

size_t auth_batch_answer_bytes(const struct auth_batch *q)
{
	return OTHER_MEMBERS + q->n * (NAME_MAX_BYTES + AROUND_NAME_BYTES);
}

/* A denial stays one. */
static void note(const struct auth_batch *q, struct span name, enum auth_outcome outcome,
		 uint8_t *outcomes)
{
	for (size_t i = 0; i < q->n; i++)
		if (span_equal(q->topics[q->which[i]], name) && outcomes[i] != AUTH_DENY)
			outcomes[i] = (uint8_t)outcome;
}

static bool read_list(const struct auth_batch *q, struct span list, enum auth_outcome outcome,
		      uint8_t *outcomes)
{
	char plain[NAME_MAX_BYTES];
	struct jsonspan_walk walk;
	struct span none, element;

	if (!jsonspan_walk(&walk, list) || walk.object)
		return false;
	while (jsonspan_next(&walk, &none, &element) == JSONSPAN_OK) {
		if (!jsonspan_is_string(element))
			return false;
		if (element.len > sizeof(plain)) /* longer than any topic */
			continue;
		size_t len = jsonspan_unescape(element, plain);
		note(q, (struct span){plain, len}, outcome, outcomes);
	}
	return true;
}

static bool read_members(const struct auth_batch *q, struct span body, uint8_t *outcomes)
{
	bool allow = false, deny = false, good = true;
	struct jsonspan_walk walk;
	struct span name, value;

	if (!jsonspan_walk(&walk, body) || !walk.object)
		return false;
	while (good && jsonspan_next(&walk, &name, &value) == JSONSPAN_OK) {
		if (jsonspan_string_is(name, "allow")) {
			good = !allow && read_list(q, value, AUTH_ALLOW, outcomes);
			allow = true;
		} else if (jsonspan_string_is(name, "deny")) {
			good = !deny && read_list(q, value, AUTH_DENY, outcomes);
			deny = true;
		}
	}
	return good && (allow || deny);
}

bool auth_batch_read(const struct auth_batch *q, struct span body, uint8_t *outcomes)
{
	memset(outcomes, AUTH_BUSY, q->n);
	if (body.len > 0 && jsonspan_check(body.at, body.len, ANSWER_DEPTH, NULL) == JSONSPAN_OK &&
	    read_members(q, jsonspan_trim(body.at, body.len), outcomes))
		return true;
	memset(outcomes, AUTH_BUSY, q->n);
	return false;
}
