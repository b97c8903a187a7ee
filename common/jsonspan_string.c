/* jsonspan_string: JSON strings become text and text becomes JSON strings. Reads only what
 * jsonspan.c has checked. */
#include "common/jsonspan.h"

#include <errno.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/jsonspan_escape.h"
#include "common/utf8.h"

bool jsonspan_is_string(struct span raw)
{
	return raw.len >= 2 && raw.at[0] == '"';
}

/* Decodes the escape at *at (a backslash in a checked string), moves *at behind it, returns the
 * bytes written to out[4]. */
static size_t decode_escape(const char **at, const char *end, char *out)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *known;
	long unit = jsonspan_unicode_escape(*at, end);

	if (unit < 0) {
		known = strchr(names, (*at)[1]);
		out[0] = known ? values[known - names] : (*at)[1];
		*at += 2;
		return 1;
	}
	*at += 6;
	if (jsonspan_is_high_surrogate(unit)) {
		unit = 0x10000 + ((unit - 0xD800) << 10) +
		       (jsonspan_unicode_escape(*at, end) - 0xDC00);
		*at += 6;
	}
	return utf8_encode((uint32_t)unit, out);
}

bool jsonspan_string_is(struct span raw, const char *plain)
{
	const char *at, *end;
	size_t left = strlen(plain);

	if (!jsonspan_is_string(raw))
		return false;
	end = raw.at + raw.len - 1;
	for (at = raw.at + 1; at < end;) {
		char decoded[4];
		size_t len = 1;

		if (*at == '\\')
			len = decode_escape(&at, end, decoded);
		else
			decoded[0] = *at++;
		if (len > left || memcmp(decoded, plain, len) != 0)
			return false;
		plain += len;
		left -= len;
	}
	return left == 0;
}

size_t jsonspan_unescape(struct span raw, char *out)
{
	const char *at = raw.at + 1, *end = raw.at + raw.len - 1;
	char *start = out;

	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		size_t plain = (size_t)((escape ? escape : end) - at);

		memcpy(out, at, plain);
		out += plain;
		at += plain;
		if (escape)
			out += decode_escape(&at, end, out);
	}
	return (size_t)(out - start);
}

/* ---- writing ---- */

/* The letter of a two-character escape, 'u' for \u00XX, 0 for a byte that stands as it is. */
static char escape_letter(unsigned char c)
{
	static const char letters[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};

	if (c == '"' || c == '\\')
		return (char)c;
	if (c == 0x7F)
		return 'u';
	if (c >= 0x20)
		return 0;
	return letters[c] ? letters[c] : 'u';
}

/* The length of text as a JSON string, or something above max when it is longer than that. */
static size_t quoted_length(const char *text, size_t len, size_t max)
{
	size_t size = 2;

	for (size_t i = 0; i < len && size <= max; i++) {
		char letter = escape_letter((unsigned char)text[i]);

		size += letter == 0 ? 1 : letter == 'u' ? 6 : 2;
	}
	return size;
}

static char *put_escaped(char *out, unsigned char c, char letter)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = '\\';
	*out++ = letter;
	if (letter == 'u') {
		*out++ = '0';
		*out++ = '0';
		*out++ = digits[c >> 4];
		*out++ = digits[c & 0xF];
	}
	return out;
}

int jsonspan_append_string(struct buf *b, const char *text, size_t len)
{
	size_t size = quoted_length(text, len, b->max);
	char *out = buf_reserve(b, size);

	if (!out)
		return -errno;
	*out++ = '"';
	for (size_t i = 0; i < len; i++) {
		char letter = escape_letter((unsigned char)text[i]);

		if (letter)
			out = put_escaped(out, (unsigned char)text[i], letter);
		else
			*out++ = text[i];
	}
	*out++ = '"';
	*out = '\0';
	b->len += size;
	return 0;
}
