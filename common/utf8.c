/* utf8: is this text, and may a header or an event name hold it? Judges bytes only; converting
 * other charsets and JSON escapes are the work of others. */
#include "common/utf8.h"

#include <string.h>

static bool is_continuation(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* The second byte is where overlong forms, surrogates and what lies above U+10FFFF show (RFC 3629
 * section 4). */
static bool second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xE0: return second >= 0xA0 && second <= 0xBF;
	case 0xED: return second >= 0x80 && second <= 0x9F;
	case 0xF0: return second >= 0x90 && second <= 0xBF;
	case 0xF4: return second >= 0x80 && second <= 0x8F;
	default: return is_continuation(second);
	}
}

size_t utf8_sequence(const char *bytes, size_t len)
{
	const unsigned char *b = (const unsigned char *)bytes;
	size_t need;

	if (len == 0)
		return 0;
	if (b[0] < 0x80)
		return 1;
	if (b[0] < 0xC2 || b[0] > 0xF4)
		return 0;
	need = b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
	if (len < need || !second_fits(b[0], b[1]))
		return 0;
	for (size_t i = 2; i < need; i++) {
		if (!is_continuation(b[i]))
			return 0;
	}
	return need;
}

/* Most text is ASCII: passes over it eight bytes at a time. */
static size_t skip_ascii(const char *bytes, size_t len)
{
	size_t at = 0;

	while (len - at >= sizeof(uint64_t)) {
		uint64_t eight;

		memcpy(&eight, bytes + at, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
		at += sizeof(eight);
	}
	return at;
}

bool utf8_valid(const char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t step = utf8_sequence(bytes + at, len - at);

		if (step == 0)
			return false;
		at += step;
		if (step == 1)
			at += skip_ascii(bytes + at, len - at);
	}
	return true;
}

bool utf8_has_control(const char *bytes, size_t len)
{
	const unsigned char *b = (const unsigned char *)bytes;

	for (size_t i = 0; i < len; i++) {
		if (b[i] < 0x20 || b[i] == 0x7F)
			return true;
		/* C1 controls: C2 80 to C2 9F. In valid text C2 is always a first byte. */
		if (b[i] == 0xC2 && i + 1 < len && b[i + 1] < 0xA0)
			return true;
	}
	return false;
}

size_t utf8_encode(uint32_t scalar, char *out)
{
	if (scalar < 0x80) {
		out[0] = (char)scalar;
		return 1;
	}
	if (scalar < 0x800) {
		out[0] = (char)(0xC0 | scalar >> 6);
		out[1] = (char)(0x80 | (scalar & 0x3F));
		return 2;
	}
	if (scalar < 0x10000) {
		out[0] = (char)(0xE0 | scalar >> 12);
		out[1] = (char)(0x80 | (scalar >> 6 & 0x3F));
		out[2] = (char)(0x80 | (scalar & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | scalar >> 18);
	out[1] = (char)(0x80 | (scalar >> 12 & 0x3F));
	out[2] = (char)(0x80 | (scalar >> 6 & 0x3F));
	out[3] = (char)(0x80 | (scalar & 0x3F));
	return 4;
}
