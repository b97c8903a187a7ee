/* fuzz_jsonspan: what the check accepts, json-c accepts too and a walk takes apart into values that
 * are accepted; strings survive being read and written. */
#include <json-c/json.h>
#include <string.h>

#include "common/buf.h"
#include "common/jsonspan.h"
#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_DEPTH = 64 };

static void check_string(struct span raw)
{
	char *text = malloc(raw.len), *again = malloc(raw.len * 6);
	struct buf b;
	size_t len;

	MUST(text && again);
	len = jsonspan_unescape(raw, text);
	MUST(len <= raw.len - 2 && utf8_valid(text, len));
	buf_init(&b, raw.len * 6);
	MUST(jsonspan_append_string(&b, text, len) == 0);
	MUST(jsonspan_check(b.data, b.len, 0, NULL) == JSONSPAN_OK);
	MUST(jsonspan_unescape((struct span){b.data, b.len}, again) == len);
	MUST(memcmp(text, again, len) == 0);
	if (!memchr(text, '\0', len)) {
		again[len] = '\0';
		MUST(jsonspan_string_is(raw, again));
		again[len] = 'x';
		again[len + 1] = '\0';
		MUST(!jsonspan_string_is(raw, again));
	}
	buf_done(&b);
	free(text);
	free(again);
}

static void check_value(struct span value)
{
	struct span name = {0}, inside, trimmed = jsonspan_trim(value.at, value.len);
	struct jsonspan_walk walk;

	MUST(value.len > 0 && trimmed.at == value.at && trimmed.len == value.len);
	MUST(jsonspan_check(value.at, value.len, MAX_DEPTH, NULL) == JSONSPAN_OK);
	if (jsonspan_is_string(value))
		check_string(value);
	if (!jsonspan_walk(&walk, value))
		return;
	while (jsonspan_next(&walk, &name, &inside) == JSONSPAN_OK) {
		MUST(inside.at > value.at && inside.at + inside.len < value.at + value.len);
		check_value(inside);
		if (walk.object)
			check_string(name);
	}
}

static void check_with_json_c(const uint8_t *bytes, size_t len)
{
	struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH + 2);
	char *text = malloc(len + 1);

	MUST(tokener && text);
	memcpy(text, bytes, len);
	text[len] = '\0';
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	json_object_put(json_tokener_parse_ex(tokener, text, (int)len + 1));
	MUST(json_tokener_get_error(tokener) == json_tokener_success);
	json_tokener_free(tokener);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	enum jsonspan_status status = jsonspan_check((const char *)bytes, len, MAX_DEPTH, &at);

	if (status == JSONSPAN_OK) {
		check_value(jsonspan_trim((const char *)bytes, len));
		check_with_json_c(bytes, len);
		return 0;
	}
	MUST(at <= len && jsonspan_check((const char *)bytes, len, MAX_DEPTH, NULL) == status);
	/* A rule is broken only by text that can be read: with room for every depth, it is. */
	if (status == JSONSPAN_DEPTH && len <= JSONSPAN_DEPTH_LIMIT) {
		status = jsonspan_check((const char *)bytes, len, JSONSPAN_DEPTH_LIMIT, NULL);
		MUST(status == JSONSPAN_OK || status == JSONSPAN_SURROGATE);
	}
	return 0;
}
