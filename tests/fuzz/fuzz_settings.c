/* fuzz_settings: whatever stands in a settings file is taken or refused in one line; what was taken
 * can be printed, one line a setting. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/settings.h"
#include "tests/fuzz/fuzz.h"

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++) {
		MUST((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t');
		n += *text == '\n';
	}
	return n;
}

static void check_taken(const struct settings *s)
{
	char *text = NULL, item[1024], error[SETTINGS_ERROR_BYTES];
	size_t size = 0, n = settings_list_count(s, SET_LISTEN);
	FILE *f = open_memstream(&text, &size);

	MUST(f);
	settings_print(s, f);
	fclose(f);
	MUST(count_lines(text) == SET_COUNT);
	free(text);

	MUST(n > 0);
	MUST(settings_list_item(s, SET_LISTEN, n - 1, item, sizeof(item)) > 0);
	MUST(settings_list_item(s, SET_LISTEN, n, item, sizeof(item)) < 0);
	if (settings_check(s, SETTINGS_STREAMER, error) < 0)
		MUST(*error && count_lines(error) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char path[64], error[SETTINGS_ERROR_BYTES] = "";
	int fd = memfd_create("settings", MFD_CLOEXEC);
	struct settings *s = settings_new();

	MUST(fd >= 0 && s && write(fd, bytes, len) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (settings_read_file(s, path, error) == 0)
		check_taken(s);
	else
		MUST(strstr(error, path) && count_lines(error) == 0);
	settings_free(s);
	close(fd);
	return 0;
}
