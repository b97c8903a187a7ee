/* tokens_file: see tokens_file.h. Owns the tokens in use, and remembers by what the file was known
 * when it was last looked at. What the lines mean is access's affair. */
#include "publisher/tokens_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "publisher/access.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define ERROR_BYTES    512

/* What changes when somebody writes or replaces the file; all zero while there is none. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct tokens_file {
	const char *path;
	struct stamp stamp;
	struct access_tokens *tokens;
};

static struct stamp stamp_of(const struct stat *st)
{
	return (struct stamp){st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

/* Returns 0 or a negative errno; the stamp is that of what was read. */
static int read_file(const char *path, struct buf *b, struct stamp *stamp)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc = 0;
	struct stat st;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		rc = -errno;
	else
		*stamp = stamp_of(&st);
	while (rc == 0 && n != 0) {
		char *at = buf_reserve(b, 4096);

		n = at ? read(fd, at, 4096) : -1;
		if (n < 0 && errno != EINTR)
			rc = -errno;
		else if (n > 0)
			b->len += (size_t)n;
	}
	close(fd);
	return rc == -ENOBUFS ? -EFBIG : rc;
}

/* NULL with a line in error[size]. *stamp stays all zero when the file can't be opened. */
static struct access_tokens *load(const char *path, struct stamp *stamp, char *error, size_t size)
{
	struct access_tokens *tokens = NULL;
	struct access_error wrong;
	struct buf b;
	int rc;

	*stamp = (struct stamp){0};
	buf_init(&b, FILE_MAX_BYTES);
	rc = read_file(path, &b, stamp);
	if (rc < 0) {
		snprintf(error, size, "cannot read the tokens file %.300s: %s", path,
			 strerror(-rc));
	} else {
		tokens = access_tokens_parse(b.data, b.len, &wrong);
		if (!tokens && wrong.line > 0)
			snprintf(error, size, "tokens file %.300s:%zu: %s", path, wrong.line,
				 wrong.why);
		else if (!tokens)
			snprintf(error, size, "tokens file %.300s: %s", path, wrong.why);
	}
	if (b.data)
		explicit_bzero(b.data, b.len);
	buf_done(&b);
	return tokens;
}

struct tokens_file *tokens_file_open(const char *path, char *error, size_t size)
{
	struct tokens_file *f = calloc(1, sizeof(*f));

	if (!f) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	f->path = path;
	f->tokens = load(path, &f->stamp, error, size);
	if (!f->tokens) {
		free(f);
		return NULL;
	}
	return f;
}

void tokens_file_free(struct tokens_file *f)
{
	if (!f)
		return;
	access_tokens_free(f->tokens);
	free(f);
}

const struct access_tokens *tokens_file_current(struct tokens_file *f)
{
	struct stamp now = {0};
	struct access_tokens *fresh;
	char error[ERROR_BYTES];
	struct stat st;

	if (stat(f->path, &st) == 0)
		now = stamp_of(&st);
	if (same_stamp(&now, &f->stamp))
		return f->tokens;
	fresh = load(f->path, &f->stamp, error, sizeof(error));
	if (fresh) {
		access_tokens_free(f->tokens);
		f->tokens = fresh;
		log_info("the tokens file %s was read anew", f->path);
	} else {
		log_error("%s; the tokens from before go on counting", error);
	}
	return f->tokens;
}
