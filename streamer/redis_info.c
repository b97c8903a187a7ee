/* redis_info: text of INFO, taken apart. Asking for it is redis_link.c's. */
#include "streamer/redis_info.h"

struct span redis_info_value(struct span info, const char *name)
{
	size_t name_len = strlen(name);
	const char *at = info.at, *end = info.at + info.len;

	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((line_end ? line_end : end) - at);
		size_t text = len > 0 && at[len - 1] == '\r' ? len - 1 : len;
		if (text > name_len && memcmp(at, name, name_len) == 0 && at[name_len] == ':')
			return (struct span){at + name_len + 1, text - name_len - 1};
		at += len + 1;
	}
	return (struct span){NULL, 0};
}

/* The logs expire, so that a policy for keys that expire (volatile-…) takes them too. */
bool redis_info_evicts(struct span info, struct span *policy)
{
	struct span limit = redis_info_value(info, "maxmemory");

	*policy = redis_info_value(info, "maxmemory_policy");
	return limit.at && !span_is(limit, "0") && policy->at && !span_is(*policy, "noeviction");
}
