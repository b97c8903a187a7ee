/* fuzz_auth_caching: whatever head the auth URL sends, what forbids using its answer again is never
 * overheard, and what it depends on is learnt whole or not at all. */
#include <string.h>

#include "streamer/auth_fields.h"
#include "streamer/auth_policy.h"
#include "tests/fuzz/fuzz.h"

static void add_lines(struct auth_fields *f, struct span head)
{
	while (head.len > 0) {
		const char *end = memchr(head.at, '\n', head.len);
		size_t len = end ? (size_t)(end - head.at) + 1 : head.len;
		auth_fields_add(f, (struct span){head.at, len});
		head = (struct span){head.at + len, head.len - len};
	}
}

/* With one more line nothing is allowed any more, unless that line reads as part of a quote. */
static void check_refusal(struct auth_fields f, const char *line)
{
	auth_fields_add(&f, span_of(line));
	struct auth_policy p = auth_policy_read(auth_fields_get(&f, AUTH_FIELD_CACHE_CONTROL),
						auth_fields_get(&f, AUTH_FIELD_AGE));
	MUST(p.seconds == 0);
}

static void check_vary(const struct auth_fields *f)
{
	struct auth_vary v = {.n = 1, .names = {"X-Before"}}, before = v;

	if (!auth_vary_learn(&v, auth_fields_get(f, AUTH_FIELD_VARY)))
		MUST(memcmp(&v, &before, sizeof(v)) == 0);
	MUST(v.n >= 1 && v.n <= AUTH_VARY_MAX);
	for (size_t i = 0; i < v.n; i++) {
		size_t len = strnlen(v.names[i], AUTH_VARY_NAME_BYTES);
		MUST(len > 0 && len < AUTH_VARY_NAME_BYTES);
		MUST(strcmp(v.names[i], "*") != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct auth_fields f = {0};

	add_lines(&f, (struct span){(const char *)bytes, len});
	for (size_t i = 0; i < AUTH_FIELDS; i++)
		MUST(auth_fields_get(&f, (enum auth_field)i).len <= AUTH_FIELD_MAX_BYTES);
	struct auth_policy p = auth_policy_read(auth_fields_get(&f, AUTH_FIELD_CACHE_CONTROL),
						auth_fields_get(&f, AUTH_FIELD_AGE));
	MUST(p.seconds <= INT32_MAX);
	check_refusal(f, "Cache-Control: no-store\r\n");
	check_refusal(f, "cache-control:max-age=0\n");
	check_refusal(f, "Age: 99999999999\n");
	check_vary(&f);
	return 0;
}
