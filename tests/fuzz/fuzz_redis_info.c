/* fuzz_redis_info: a value is found where a plain search over all lines finds it. The name stands
 * before the first line feed. */
#include "streamer/redis_info.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

/* Looks at each byte that may begin a line. */
static struct span search(struct span info, const char *name)
{
	size_t name_len = strlen(name);

	for (size_t i = 0; i + name_len < info.len; i++) {
		if (i > 0 && info.at[i - 1] != '\n')
			continue;
		if (memcmp(info.at + i, name, name_len) != 0 || info.at[i + name_len] != ':')
			continue;
		size_t end = i + name_len + 1, begin = end;
		while (end < info.len && info.at[end] != '\n')
			end++;
		if (end > begin && info.at[end - 1] == '\r')
			end--;
		return (struct span){info.at + begin, end - begin};
	}
	return (struct span){NULL, 0};
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *at = (const char *)bytes, *stop = memchr(at, '\n', len);
	struct span policy;
	char name[64];

	if (!stop || stop - at >= (long)sizeof(name) || memchr(at, '\0', (size_t)(stop - at)) ||
	    memchr(at, '\r', (size_t)(stop - at)))
		return 0;
	memcpy(name, at, (size_t)(stop - at));
	name[stop - at] = '\0';
	struct span info = {stop + 1, len - (size_t)(stop - at) - 1};
	struct span found = redis_info_value(info, name), expected = search(info, name);
	MUST(found.at == expected.at && found.len == expected.len);
	if (redis_info_evicts(info, &policy))
		MUST(policy.at == search(info, "maxmemory_policy").at);
	return 0;
}
