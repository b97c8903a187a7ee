/* mark: see mark.h. The first byte is one that nothing else of an event holds, so that finding a
 * mark is a memchr: at millions of deliveries a second the generator must not be the bound. */
#include "bench/mark.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#define FIRST         '~'
#define NUMBER_DIGITS 8
#define NS_DIGITS     16

static void write_hex(uint64_t v, size_t digits, char *out)
{
	while (digits-- > 0) {
		out[digits] = "0123456789abcdef"[v & 15];
		v >>= 4;
	}
}

void mark_write(struct mark m, char *out)
{
	*out = FIRST;
	write_hex(m.number, NUMBER_DIGITS, out + 1);
	write_hex(m.ns, NS_DIGITS, out + 1 + NUMBER_DIGITS);
}

static bool read_hex(const char *at, size_t digits, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < digits; i++) {
		unsigned c = (unsigned char)at[i];
		unsigned decimal = c - '0', letter = c - 'a';

		if (decimal > 9 && letter > 5)
			return false;
		v = v << 4 | (decimal <= 9 ? decimal : letter + 10);
	}
	*out = v;
	return true;
}

const char *mark_find(const char *at, const char *end, struct mark *m)
{
	uint64_t number, ns;

	while (end - at >= MARK_BYTES) {
		at = memchr(at, FIRST, (size_t)(end - at));
		if (!at || end - at < MARK_BYTES)
			return NULL;
		if (read_hex(at + 1, NUMBER_DIGITS, &number) &&
		    read_hex(at + 1 + NUMBER_DIGITS, NS_DIGITS, &ns)) {
			*m = (struct mark){(uint32_t)number, ns};
			return at + MARK_BYTES;
		}
		at++;
	}
	return NULL;
}

size_t mark_cut(const char *at, const char *end)
{
	size_t len = (size_t)(end - at);
	size_t tail = len < MARK_BYTES - 1 ? len : MARK_BYTES - 1;
	const char *first = memchr(end - tail, FIRST, tail);

	return first ? (size_t)(end - first) : 0;
}

uint64_t mark_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
