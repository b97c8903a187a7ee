/* num: decimal text to number and back. The only place where text from outside becomes a number; it
 * accepts digits and nothing else, and leaves units, signs and words to its callers. */
#include "common/num.h"

#include <errno.h>

int num_parse_u64(const char *text, size_t len, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	int too_big = 0;

	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned char)text[i] - (unsigned)'0';

		if (digit > 9)
			return -EINVAL;
		too_big |= __builtin_mul_overflow(value, 10, &value);
		too_big |= __builtin_add_overflow(value, digit, &value);
	}
	if (too_big || value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

size_t num_format_u64(uint64_t v, char *out)
{
	size_t len = 1;

	for (uint64_t rest = v; rest > 9; rest /= 10)
		len++;
	for (size_t i = len; i > 0; i--) {
		out[i - 1] = (char)('0' + v % 10);
		v /= 10;
	}
	return len;
}
