/* ticket_file: see ticket_file.h. Owns the keys in use. What the lines mean is ticket_keys'
 * affair. */
#include "streamer/ticket_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/file_stamp.h"
#include "common/log.h"
#include "common/settings.h"
#include "streamer/clock.h"
#include "streamer/ticket_keys.h"

#define FILE_MAX_BYTES (64 * 1024)
#define ERROR_BYTES    512
#define LOOK_SECONDS   1.

struct ticket_file {
	const char *path;
	struct file_stamp stamp;
	struct ticket_keys *keys;
	double looked; /* by clock_seconds */
};

/* NULL with a line in error[size]. */
static struct ticket_keys *load(const char *path, struct file_stamp *stamp, char *error,
				size_t size)
{
	struct ticket_keys *keys = NULL;
	struct ticket_keys_error wrong;
	struct buf b;

	buf_init(&b, FILE_MAX_BYTES);
	int rc = file_stamp_read(path, &b, stamp);
	if (rc < 0) {
		snprintf(error, size, "cannot read ticket_keys_file %.300s: %s", path,
			 strerror(-rc));
	} else {
		keys = ticket_keys_parse(b.data ? b.data : "", b.len, &wrong);
		if (!keys && wrong.line > 0)
			snprintf(error, size, "ticket_keys_file %.300s:%zu: %s", path, wrong.line,
				 wrong.why);
		else if (!keys)
			snprintf(error, size, "ticket_keys_file %.300s: %s", path, wrong.why);
	}
	if (b.data)
		explicit_bzero(b.data, b.len);
	buf_done(&b);
	return keys;
}

struct ticket_file *ticket_file_open(const char *path, char *error, size_t size)
{
	struct ticket_file *f = calloc(1, sizeof(*f));

	if (!f) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	f->path = path;
	f->looked = clock_seconds();
	f->keys = load(path, &f->stamp, error, size);
	if (f->keys)
		return f;
	free(f);
	return NULL;
}

void ticket_file_free(struct ticket_file *f)
{
	if (!f)
		return;
	ticket_keys_free(f->keys);
	free(f);
}

const struct ticket_keys *ticket_file_current(struct ticket_file *f)
{
	double now = clock_seconds();
	char error[ERROR_BYTES];

	if (now - f->looked < LOOK_SECONDS)
		return f->keys;
	f->looked = now;
	if (!file_stamp_differs(f->path, &f->stamp))
		return f->keys;
	struct ticket_keys *fresh = load(f->path, &f->stamp, error, sizeof(error));
	if (fresh) {
		ticket_keys_free(f->keys);
		f->keys = fresh;
		log_info("ticket_keys_file %s was read anew", f->path);
	} else {
		log_error("%s; the keys from before go on counting", error);
	}
	return f->keys;
}

int ticket_file_check(const struct settings *s, char *error)
{
	if (!(settings_words(s, SET_AUTH) & AUTH_TICKET))
		return 0;
	struct ticket_file *f = ticket_file_open(settings_text(s, SET_TICKET_KEYS_FILE), error,
						 SETTINGS_ERROR_BYTES);
	bool good = f != NULL;

	ticket_file_free(f);
	return good ? 0 : -1;
}
