/* fuzz_tokens: a tokens file is understood or its line is named; the tokens of one that is
 * understood are found. */
#include <string.h>

#include "publisher/access.h"
#include "tests/fuzz/fuzz.h"

static void check_asking(const struct access_tokens *t, struct span token)
{
	const struct access_token *found;

	if (access_find(t, token, &found) == 0) {
		MUST(*access_name(found) != '\0');
		(void)access_allows(found, (struct span){"a", 1});
		(void)access_controls(found);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span text = {(const char *)bytes, len};
	struct access_error error;
	struct access_tokens *t = access_tokens_parse(text.at, text.len, &error);

	MUST((t == NULL) == (error.why != NULL));
	if (!t)
		return 0;
	check_asking(t, text);
	for (size_t i = 0; i < len && i < 100; i++)
		check_asking(t, (struct span){text.at + i, len - i < 6 ? len - i : 6});
	access_tokens_free(t);
	return 0;
}
