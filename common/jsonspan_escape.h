/* jsonspan_escape: \uXXXX and surrogates, for the two halves of jsonspan alone. */
#ifndef TIDINGS_COMMON_JSONSPAN_ESCAPE_H
#define TIDINGS_COMMON_JSONSPAN_ESCAPE_H

#include <stdbool.h>

static inline int jsonspan_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The UTF-16 unit of the \uXXXX that at begins with, -1 when there is none. */
static inline long jsonspan_unicode_escape(const char *at, const char *end)
{
	long unit = 0;

	if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = jsonspan_hex_digit(at[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static inline bool jsonspan_is_high_surrogate(long unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static inline bool jsonspan_is_low_surrogate(long unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

#endif
