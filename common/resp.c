/* resp: see resp.h. */
#include "common/resp.h"

#include "common/buf.h"
#include "common/num.h"

static int append_length(struct buf *b, char kind, size_t n)
{
	char digits[NUM_U64_DIGITS];
	size_t len = num_format_u64(n, digits);
	int rc = buf_append_char(b, kind);

	if (rc == 0)
		rc = buf_append(b, digits, len);
	return rc < 0 ? rc : buf_append(b, "\r\n", 2);
}

int resp_command(struct buf *b, size_t words)
{
	return append_length(b, '*', words);
}

int resp_word(struct buf *b, struct span word)
{
	int rc = append_length(b, '$', word.len);

	if (rc == 0)
		rc = buf_append(b, word.at, word.len);
	return rc < 0 ? rc : buf_append(b, "\r\n", 2);
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
