/* fuzz_urlenc: pairs stay inside the text and together are the text; encoding and decoding are each
 * other's inverse. */
#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "common/urlenc.h"
#include "tests/fuzz/fuzz.h"

static void check_encoded(const char *text, size_t len)
{
	struct buf b;

	buf_init(&b, len * 3);
	MUST(urlenc_append(&b, text, len) == 0);
	MUST(urlenc_decode((struct span){b.data, b.len}, true, b.data) == (long)len);
	MUST(len == 0 || memcmp(b.data, text, len) == 0);
	buf_done(&b);
}

static void check_decoded(struct span in)
{
	char *out = malloc(in.len ? in.len : 1);
	long len;

	MUST(out);
	len = urlenc_decode(in, true, out);
	MUST(len == -EINVAL || (len >= 0 && (size_t)len <= in.len));
	MUST(len >= 0 || memchr(in.at, '%', in.len));
	MUST(urlenc_decode(in, false, out) == len);
	if (len >= 0)
		check_encoded(out, (size_t)len);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	struct urlenc_walk walk;
	struct span name, value;
	size_t seen = 0, ampersands = 0;

	urlenc_walk(&walk, text, len);
	while (urlenc_next(&walk, &name, &value)) {
		MUST(name.at >= text && name.at + name.len <= text + len);
		MUST(!memchr(name.at, '&', name.len) && !memchr(name.at, '=', name.len));
		seen += name.len;
		if (value.at) {
			MUST(value.at == name.at + name.len + 1 &&
			     value.at + value.len <= text + len);
			MUST(!memchr(value.at, '&', value.len));
			seen += value.len + 1;
		}
		check_decoded(name);
		check_decoded(value.at ? value : name);
	}
	for (size_t i = 0; i < len; i++)
		ampersands += text[i] == '&';
	MUST(seen + ampersands == len);
	check_encoded(text, len);
	return 0;
}
