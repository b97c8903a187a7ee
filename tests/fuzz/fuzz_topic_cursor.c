/* fuzz_topic_cursor: an id has one spelling; a topic comes back from the names made of it; text is
 * valid UTF-8 exactly where its sequences are. */
#include <string.h>

#include "common/cursor.h"
#include "common/num.h"
#include "common/topic.h"
#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

static void check_id(struct span text)
{
	char again[EVENT_ID_MAX_BYTES + 1];
	struct event_id id;

	if (event_id_parse(text.at, text.len, &id) < 0)
		return;
	MUST(event_id_format(id, again) == text.len && memcmp(again, text.at, text.len) == 0);
	MUST(event_id_compare(id, id) == 0);
}

static void check_number(struct span text)
{
	char again[NUM_U64_DIGITS];
	uint64_t value;

	if (num_parse_u64(text.at, text.len, 0, UINT64_MAX, &value) < 0)
		return;
	while (text.len > 1 && text.at[0] == '0')
		text = (struct span){text.at + 1, text.len - 1};
	MUST(num_format_u64(value, again) == text.len && memcmp(again, text.at, text.len) == 0);
}

static void check_topic(struct span topic)
{
	char name[TOPIC_KEY_MAX_BYTES];
	struct span channel = {name, 0};
	struct topic_space space;

	if (!topic_valid(topic.at, topic.len))
		return;
	MUST(topic.len <= TOPIC_MAX_BYTES && utf8_valid(topic.at, topic.len));
	MUST(!utf8_has_control(topic.at, topic.len));
	topic_space_init(&space, "prefix", "3.17");
	channel.len = topic_channel(&space, topic, name);
	MUST(span_equal(topic_of_channel(&space, channel), topic));
	topic_space_init(&space, "", "");
	channel.len = topic_channel(&space, topic, name);
	MUST(span_equal(topic_of_channel(&space, channel), topic));
	MUST(topic_key(&space, "log:", topic, name) == strlen(name));
	MUST(topic_reserved(name, strlen(name)));
}

static void check_utf8(struct span text)
{
	size_t at = 0, step = 1;

	while (at < text.len && step > 0) {
		step = utf8_sequence(text.at + at, text.len - at);
		at += step;
	}
	MUST(utf8_valid(text.at, text.len) == (at == text.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span text = {(const char *)bytes, len};

	check_id(text);
	check_number(text);
	check_topic(text);
	check_utf8(text);
	return 0;
}
