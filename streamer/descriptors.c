/* descriptors: the one limit of the system that streams run into first. */
#include "streamer/descriptors.h"

#include <sys/resource.h>

uint64_t descriptors_limit(void)
{
	struct rlimit limit;
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : UINT64_MAX;
}

uint64_t descriptors_fit(uint64_t wanted, uint64_t reserved)
{
	uint64_t need = wanted > UINT64_MAX - reserved ? UINT64_MAX : wanted + reserved;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
		return wanted;
	limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
	setrlimit(RLIMIT_NOFILE, &limit);
	uint64_t have = descriptors_limit();
	if (have >= need)
		return wanted;
	return have > reserved ? have - reserved : 1;
}
