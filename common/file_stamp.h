/* file_stamp: a small file that is read whole, and read again when it has changed. */
#ifndef TIDINGS_COMMON_FILE_STAMP_H
#define TIDINGS_COMMON_FILE_STAMP_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct buf;

/* What changes when somebody writes or replaces a file; all zero while there is none. */
struct file_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* Appends the file to b, whose maximum bounds it. *stamp is that of what was read, all zero when it
 * can't be opened. Returns 0, -EFBIG or another negative errno. */
int file_stamp_read(const char *path, struct buf *b, struct file_stamp *stamp);

/* The file is not what it was then: changed, replaced, gone or new. */
bool file_stamp_differs(const char *path, const struct file_stamp *then);

#endif
