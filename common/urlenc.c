/* urlenc: percent-encoding both ways, and walking form pairs as views. What a field means, its
 * charset and its limits are the business of whoever walks. */
#include "common/urlenc.h"

#include <errno.h>

#include "common/buf.h"

void urlenc_walk(struct urlenc_walk *w, const char *text, size_t len)
{
	w->at = text;
	w->end = len > 0 ? text + len : text;
}

bool urlenc_next(struct urlenc_walk *w, struct span *name, struct span *value)
{
	const char *stop, *equals;

	while (w->at < w->end && *w->at == '&')
		w->at++;
	if (w->at >= w->end)
		return false;
	stop = memchr(w->at, '&', (size_t)(w->end - w->at));
	if (!stop)
		stop = w->end;
	equals = memchr(w->at, '=', (size_t)(stop - w->at));
	*name = (struct span){w->at, (size_t)((equals ? equals : stop) - w->at)};
	*value = equals ? (struct span){equals + 1, (size_t)(stop - equals - 1)} : (struct span){0};
	w->at = stop;
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

long urlenc_decode(struct span in, bool plus_is_blank, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.at[i];

		if (c == '%') {
			int high = in.len - i > 2 ? hex_value(in.at[i + 1]) : -1;
			int low = in.len - i > 2 ? hex_value(in.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		out[len++] = c;
	}
	return (long)len;
}

static bool unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

/* The length of text when encoded, or something above max when it is longer than that. */
static size_t encoded_length(const char *text, size_t len, size_t max)
{
	size_t size = 0;

	for (size_t i = 0; i < len && size <= max; i++)
		size += unreserved(text[i]) ? 1 : 3;
	return size;
}

int urlenc_append(struct buf *b, const char *text, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t size = encoded_length(text, len, b->max);
	char *at = buf_reserve(b, size);

	if (!at)
		return -errno;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (unreserved(text[i])) {
			*at++ = text[i];
			continue;
		}
		*at++ = '%';
		*at++ = digits[c >> 4];
		*at++ = digits[c & 0xF];
	}
	*at = '\0';
	b->len += size;
	return 0;
}
