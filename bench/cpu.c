/* cpu: see cpu.h. */
#include "bench/cpu.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "common/num.h"

/* The first word of schedstat. */
static uint64_t of_thread(pid_t pid, const char *thread)
{
	char path[320], text[128];
	uint64_t ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%s/schedstat", (long)pid, thread);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f) ||
	    num_parse_u64(text, strcspn(text, " "), 0, UINT64_MAX, &ns) < 0)
		ns = 0;
	fclose(f);
	return ns;
}

static uint64_t of_process(pid_t pid)
{
	const struct dirent *e;
	uint64_t ns = 0;
	char path[64];
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	threads = opendir(path);
	if (!threads)
		return 0;
	while ((e = readdir(threads)))
		if (*e->d_name != '.')
			ns += of_thread(pid, e->d_name);
	closedir(threads);
	return ns;
}

uint64_t cpu_used_ns(const pid_t *pids, size_t n)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < n; i++)
		ns += of_process(pids[i]);
	return ns;
}
