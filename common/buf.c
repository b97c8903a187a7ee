/* buf: the one growable buffer of the project. Owns its memory and its maximum, so that nothing
 * that comes from outside can make a program grow without bound. What the bytes mean is the
 * caller's affair. */
#include "common/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 64 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

/* What to allocate for `need` bytes: doubling, so that appending stays linear, but never much past
 * the maximum. */
static size_t grown_cap(const struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST_BYTES;

	while (cap < need) {
		if (cap > SIZE_MAX / 2)
			return need;
		cap *= 2;
	}
	if (b->max < SIZE_MAX && cap > b->max + 1)
		cap = b->max + 1;
	return cap;
}

char *buf_reserve(struct buf *b, size_t more)
{
	size_t need, cap;
	char *data;

	if (more > b->max - b->len) {
		errno = ENOBUFS;
		return NULL;
	}
	if (more >= SIZE_MAX - b->len) { /* no room to count the NUL */
		errno = ENOMEM;
		return NULL;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return b->data + b->len;
	cap = grown_cap(b, need);
	data = realloc(b->data, cap);
	if (!data) {
		errno = ENOMEM;
		return NULL;
	}
	b->data = data;
	b->cap = cap;
	data[b->len] = '\0';
	return data + b->len;
}

int buf_append(struct buf *b, const void *bytes, size_t len)
{
	char *at = buf_reserve(b, len);

	if (!at)
		return -errno;
	if (len > 0)
		memcpy(at, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_append_str(struct buf *b, const char *text)
{
	return buf_append(b, text, strlen(text));
}

int buf_append_char(struct buf *b, char c)
{
	return buf_append(b, &c, 1);
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	char *at;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return -ENOMEM;
	at = buf_reserve(b, (size_t)len);
	if (!at)
		return -errno;
	va_start(args, format);
	len = vsnprintf(at, (size_t)len + 1, format, args);
	va_end(args);
	b->len += (size_t)len;
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len);
	b->data[b->len] = '\0';
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}
