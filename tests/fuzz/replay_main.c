/* replay_main: stands in for libFuzzer where there is none: feeds files, or all files of folders,
 * to a target once. Arguments that begin with a dash are libFuzzer's and passed over. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "tests/fuzz/fuzz.h"

enum { REPLAY_MAX_BYTES = 1 << 24 };

/* Returns how many files were fed. */
static size_t replay(const char *path);

static size_t replay_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	MUST(folder);
	while ((entry = readdir(folder))) {
		struct buf inside;

		if (entry->d_name[0] == '.')
			continue;
		buf_init(&inside, 4096);
		MUST(buf_printf(&inside, "%s/%s", path, entry->d_name) == 0);
		n += replay(inside.data);
		buf_done(&inside);
	}
	closedir(folder);
	return n;
}

static size_t replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(REPLAY_MAX_BYTES), *exact;
	size_t len;

	MUST(file && bytes);
	len = fread(bytes, 1, REPLAY_MAX_BYTES, file);
	fclose(file);
	exact = malloc(len ? len : 1); /* so that sanitizers see a step behind the last byte */
	MUST(exact);
	memcpy(exact, bytes, len);
	free(bytes);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 1;
}

static size_t replay(const char *path)
{
	struct stat info;

	if (stat(path, &info) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	return S_ISDIR(info.st_mode) ? replay_folder(path) : replay_file(path);
}

int main(int argc, char **argv)
{
	size_t n = 0;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			n += replay(argv[i]);
	}
	printf("%zu inputs replayed\n", n);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
