/* fuzz_auth_reply: whatever the auth URL answers, only its status decides, and nothing but clean
 * text is passed on to strangers. Two bytes of status, a challenge up to the line feed, the body.
 */
#include "streamer/auth_reply.h"

#include <string.h>

#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

static void check_words(const struct auth_verdict *v)
{
	size_t len = strnlen(v->detail, sizeof(v->detail));

	MUST(len <= AUTH_DETAIL_MAX_BYTES && utf8_valid(v->detail, len));
	len = strnlen(v->www_authenticate, sizeof(v->www_authenticate));
	MUST(len < AUTH_HEADER_MAX_BYTES);
	for (size_t i = 0; i < len; i++)
		MUST(v->www_authenticate[i] >= ' ' && v->www_authenticate[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct auth_verdict v;

	if (len < 2)
		return 0;
	unsigned status = (bytes[0] * 256u + bytes[1]) % 1000;
	const char *at = (const char *)bytes + 2, *end = (const char *)bytes + len;
	const char *stop = memchr(at, '\n', len - 2);
	struct span challenge = {at, (size_t)((stop ? stop : end) - at)};
	struct span body = {stop ? stop + 1 : end, stop ? (size_t)(end - stop - 1) : 0};

	auth_reply_read(status, challenge, body, &v);
	MUST(v.status == status);
	MUST((v.outcome == AUTH_ALLOW) == (status / 100 == 2));
	MUST((v.outcome == AUTH_DENY) == (status == 401 || status == 403));
	MUST(v.outcome != AUTH_PENDING);
	MUST(v.outcome == AUTH_DENY || (!v.detail[0] && !v.www_authenticate[0]));
	check_words(&v);
	return 0;
}
