/* resp: see resp.h. */
#include "common/resp.h"

#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "common/num.h"

#define LENGTH_BYTES (1 + NUM_U64_DIGITS + 2)

/* Writes kind, number and line end to out[LENGTH_BYTES]; returns how long they are. */
static size_t format_length(char kind, size_t n, char *out)
{
	size_t len = 1;

	out[0] = kind;
	len += num_format_u64(n, out + len);
	out[len++] = '\r';
	out[len++] = '\n';
	return len;
}

int resp_command(struct buf *b, size_t words)
{
	char length[LENGTH_BYTES];

	return buf_append(b, length, format_length('*', words, length));
}

int resp_word(struct buf *b, struct span word)
{
	char length[LENGTH_BYTES];
	size_t before = format_length('$', word.len, length);
	char *at = word.len < SIZE_MAX - LENGTH_BYTES - 2 ? buf_reserve(b, before + word.len + 2)
							  : NULL;

	if (!at)
		return -errno;
	memcpy(at, length, before);
	if (word.len > 0)
		memcpy(at + before, word.at, word.len);
	memcpy(at + before + word.len, "\r\n", 3);
	b->len += before + word.len + 2;
	return 0;
}

int resp_text(struct buf *b, const char *word)
{
	return resp_word(b, span_of(word));
}

int resp_number(struct buf *b, uint64_t word)
{
	char digits[NUM_U64_DIGITS];

	return resp_word(b, (struct span){digits, num_format_u64(word, digits)});
}
