/* ticket_file: ticket_keys_file on disk, read anew when it changes. */
#ifndef TIDINGS_STREAMER_TICKET_FILE_H
#define TIDINGS_STREAMER_TICKET_FILE_H

#include <stddef.h>

struct settings;
struct ticket_file;
struct ticket_keys;

/* path is borrowed for good. NULL with a line in error[size] when the file, or a PEM file that it
 * names, can't be read or understood; the line holds no secret. */
struct ticket_file *ticket_file_open(const char *path, char *error, size_t size);

/* NULL is fine. */
void ticket_file_free(struct ticket_file *f);

/* The keys as the file has them; it is looked at once a second at most. While it is missing or
 * broken, the keys from before go on counting, which is logged once. Good until the next call. */
const struct ticket_keys *ticket_file_current(struct ticket_file *f);

/* For the start: where tickets are taken, their keys must be there. Returns 0, or -1 with a line in
 * error[SETTINGS_ERROR_BYTES]. */
int ticket_file_check(const struct settings *s, char *error);

#endif
