/* charset: see charset.h. Both of the old ones are one byte a character, and ISO-8859-1 is the
 * beginning of Unicode. Owns nothing. */
#include "publisher/charset.h"

#include <errno.h>
#include <strings.h>

#include "common/utf8.h"

int charset_find(struct span name, enum charset *out)
{
	static const struct {
		const char *name;
		enum charset charset;
	} known[] = {
		{"utf-8", CHARSET_UTF8},         {"utf8", CHARSET_UTF8},
		{"us-ascii", CHARSET_UTF8},      {"iso-8859-1", CHARSET_LATIN1},
		{"iso8859-1", CHARSET_LATIN1},   {"iso_8859-1", CHARSET_LATIN1},
		{"latin1", CHARSET_LATIN1},      {"windows-1252", CHARSET_WINDOWS1252},
		{"cp1252", CHARSET_WINDOWS1252},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (name.len == strlen(known[i].name) &&
		    strncasecmp(name.at, known[i].name, name.len) == 0) {
			*out = known[i].charset;
			return 0;
		}
	}
	return -ENOENT;
}

/* The character behind a byte 0x80..0x9f of windows-1252; 0 where it has none. */
static unsigned windows1252(unsigned char byte)
{
	static const unsigned short high[32] = {
		0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
		0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
		0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
		0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
	};

	return high[byte - 0x80];
}

/* No character takes more than 3 bytes. */
size_t charset_room(struct span text)
{
	size_t room = text.len;

	for (size_t i = 0; i < text.len; i++)
		room += (unsigned char)text.at[i] >= 0x80 ? 2 : 0;
	return room;
}

long charset_decode(enum charset charset, struct span text, char *out, unsigned char *bad)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.at[i];
		unsigned c = byte;

		if (charset == CHARSET_WINDOWS1252 && byte >= 0x80 && byte < 0xA0)
			c = windows1252(byte);
		if (c == 0 && byte != 0) {
			*bad = byte;
			return -EILSEQ;
		}
		len += utf8_encode(c, out + len);
	}
	return (long)len;
}
