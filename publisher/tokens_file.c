/* tokens_file: see tokens_file.h. Owns the tokens in use, and remembers by what the file was known
 * when it was last looked at. What the lines mean is access's affair. */
#include "publisher/tokens_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/file_stamp.h"
#include "common/log.h"
#include "publisher/access.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define ERROR_BYTES    512

struct tokens_file {
	const char *path;
	struct file_stamp stamp;
	struct access_tokens *tokens;
};

/* NULL with a line in error[size]. *stamp stays all zero when the file can't be opened. */
static struct access_tokens *load(const char *path, struct file_stamp *stamp, char *error,
				  size_t size)
{
	struct access_tokens *tokens = NULL;
	struct access_error wrong;
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX_BYTES);
	rc = file_stamp_read(path, &b, stamp);
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
	struct access_tokens *fresh;
	char error[ERROR_BYTES];

	if (!file_stamp_differs(f->path, &f->stamp))
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
