/* descriptors: the one limit of the system that streams run into first. */
#include "streamer/descriptors.h"

#include <sys/resource.h>
#include "common/log.h"

uint64_t descriptors_fit(uint64_t wanted, uint64_t reserved)
{
	uint64_t need = wanted > UINT64_MAX - reserved ? UINT64_MAX : wanted + reserved;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
		return wanted;
	limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= need)
		return wanted;
	uint64_t fits = limit.rlim_cur > reserved ? limit.rlim_cur - reserved : 1;
	log_warn("the limit of open files is %llu: at most %llu streams, not the %llu of "
		 "max_connections",
		 (unsigned long long)limit.rlim_cur, (unsigned long long)fits,
		 (unsigned long long)wanted);
	return fits;
}
