/* buf: a growable byte buffer that never grows past a maximum given at its start. */
#ifndef TIDINGS_COMMON_BUF_H
#define TIDINGS_COMMON_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL until the first byte; NUL-terminated behind len by every call below */
	size_t len; /* bytes in use */
	size_t cap; /* bytes allocated */
	size_t max; /* len never exceeds this */
};

/* Starts an empty buffer; allocates nothing. */
void buf_init(struct buf *b, size_t max);

/* Frees the memory; b may be used again as if fresh from buf_init with the same maximum. */
void buf_done(struct buf *b);

/* Makes room for `more` further bytes behind len and returns where they start, NULL when the
 * maximum would be passed (errno ENOBUFS) or memory is out (errno ENOMEM). The caller writes there
 * and adds to len itself; there is room for a NUL behind. */
char *buf_reserve(struct buf *b, size_t more);

/* Each returns 0, -ENOBUFS past the maximum, -ENOMEM; b is unchanged on error. */
int buf_append(struct buf *b, const void *bytes, size_t len);
int buf_append_str(struct buf *b, const char *text);
int buf_append_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first n bytes (n <= len). */
void buf_consume(struct buf *b, size_t n);

/* Sets len to 0 and keeps the memory. */
void buf_clear(struct buf *b);

#endif
