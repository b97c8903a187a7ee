/* cursor_text: see cursor_text.h. What comes from a listener is data: anything but the one spelling
 * is no cursor. */
#include "streamer/cursor_text.h"

#include <string.h>
#include "common/buf.h"
#include "common/num.h"
#include "common/partition.h"

/* Takes the pair that text begins with, and the comma behind it. */
static bool take_pair(struct span *text, unsigned *partition, struct event_id *id)
{
	const char *comma = text->len ? memchr(text->at, ',', text->len) : NULL;
	size_t len = comma ? (size_t)(comma - text->at) : text->len;
	const char *colon = len ? memchr(text->at, ':', len) : NULL;
	size_t digits = colon ? (size_t)(colon - text->at) : 0;
	uint64_t number;

	if (!colon || (digits > 1 && text->at[0] == '0') ||
	    num_parse_u64(text->at, digits, 0, PARTITION_MAX - 1, &number) != 0 ||
	    event_id_parse(colon + 1, len - digits - 1, id) != 0 || (comma && len + 1 == text->len))
		return false;
	*partition = (unsigned)number;
	text->at += comma ? len + 1 : len;
	text->len -= comma ? len + 1 : len;
	return true;
}

bool cursor_text_valid(struct span text, bool cluster)
{
	struct event_id id;
	unsigned partition, least = 0;

	if (!cluster)
		return text.len > 0 && event_id_parse(text.at, text.len, &id) == 0;
	if (text.len == 0)
		return false;
	while (text.len > 0) {
		if (!take_pair(&text, &partition, &id) || partition < least)
			return false;
		least = partition + 1;
	}
	return true;
}

bool cursor_text_find(struct span text, bool cluster, unsigned partition, struct event_id *id)
{
	struct event_id found;
	unsigned number;

	if (!cluster)
		return event_id_parse(text.at, text.len, id) == 0;
	while (text.len > 0 && take_pair(&text, &number, &found)) {
		if (number == partition) {
			*id = found;
			return true;
		}
	}
	return false;
}

int cursor_text_append(struct buf *b, bool cluster, unsigned partition, struct event_id id)
{
	char text[CURSOR_TEXT_PAIR_BYTES + NUM_U64_DIGITS];
	size_t len = 0;

	if (cluster) {
		if (b->len > 0)
			text[len++] = ',';
		len += num_format_u64(partition, text + len);
		text[len++] = ':';
	}
	len += event_id_format(id, text + len);
	return buf_append(b, text, len);
}
