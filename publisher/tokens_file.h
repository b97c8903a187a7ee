/* tokens_file: the tokens file on disk, read anew when it changes. */
#ifndef TIDINGS_PUBLISHER_TOKENS_FILE_H
#define TIDINGS_PUBLISHER_TOKENS_FILE_H

#include <stddef.h>

struct access_tokens;
struct tokens_file;

/* Reads the file. path is borrowed for good. NULL with a line in error[size] when it can't be read
 * or understood; the line names file and line number, never a token. */
struct tokens_file *tokens_file_open(const char *path, char *error, size_t size);
void tokens_file_free(struct tokens_file *f);

/* The tokens as the file has them now. While the file is missing or broken, those from before go on
 * counting, which is logged once. Good until the next call. */
const struct access_tokens *tokens_file_current(struct tokens_file *f);

#endif
