/* file_stamp: see file_stamp.h. What the bytes mean, and what to do about a change, is the
 * caller's. */
#include "common/file_stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"

#define PIECE_BYTES 4096

static struct file_stamp stamp_of(const struct stat *st)
{
	return (struct file_stamp){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_stamp(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

int file_stamp_read(const char *path, struct buf *b, struct file_stamp *stamp)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc = 0;
	struct stat st;
	ssize_t n = 1;

	*stamp = (struct file_stamp){0};
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else
		*stamp = stamp_of(&st);
	while (rc == 0 && n != 0) {
		char *at = buf_reserve(b, PIECE_BYTES);

		n = at ? read(fd, at, PIECE_BYTES) : -1;
		if (n < 0 && errno != EINTR)
			rc = -errno;
		else if (n > 0)
			b->len += (size_t)n;
	}
	close(fd);
	return rc == -ENOBUFS ? -EFBIG : rc;
}

bool file_stamp_differs(const char *path, const struct file_stamp *then)
{
	struct file_stamp now = {0};
	struct stat st;

	if (stat(path, &st) == 0)
		now = stamp_of(&st);
	return !same_stamp(&now, then);
}
