/* cursor: the text form and the order of event ids. Makes no ids: only the scripts in Redis do. */
#include "common/cursor.h"

#include <errno.h>
#include <string.h>

#include "common/num.h"

enum { CURSOR_MS_DIGITS = 14, CURSOR_N_DIGITS = 9 };

/* One half of an id: one spelling a number, so that equal ids are equal texts. */
static int parse_half(const char *text, size_t len, size_t max_digits, uint64_t *out)
{
	if (len > max_digits || (len > 1 && text[0] == '0'))
		return -EINVAL;
	return num_parse_u64(text, len, 0, UINT64_MAX, out);
}

int event_id_parse(const char *text, size_t len, struct event_id *out)
{
	const char *dash = len > 0 ? memchr(text, '-', len) : NULL;
	struct event_id id;
	size_t ms_len;

	if (!dash)
		return -EINVAL;
	ms_len = (size_t)(dash - text);
	if (parse_half(text, ms_len, CURSOR_MS_DIGITS, &id.ms) < 0 ||
	    parse_half(dash + 1, len - ms_len - 1, CURSOR_N_DIGITS, &id.n) < 0)
		return -EINVAL;
	*out = id;
	return 0;
}

size_t event_id_format(struct event_id id, char *out)
{
	size_t len = num_format_u64(id.ms, out);

	out[len++] = '-';
	len += num_format_u64(id.n, out + len);
	out[len] = '\0';
	return len;
}

int event_id_compare(struct event_id a, struct event_id b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return 0;
}
