/* fuzz_auth_batch: an answer about many topics is read as json-c reads it, and what is no such
 * answer admits nobody. */
#include <json-c/json.h>
#include <string.h>

#include "streamer/auth_batch.h"
#include "streamer/auth_reply.h"
#include "tests/fuzz/fuzz.h"

static const struct span topics[] = {{"a", 1}, {"b/c", 3}, {"dd", 2}};
static const uint16_t which[] = {0, 1, 2};
static const struct auth_batch question = {topics, which, 3};

static bool lists(struct json_object *root, const char *member, struct span topic)
{
	struct json_object *list;

	if (!json_object_object_get_ex(root, member, &list))
		return false;
	MUST(json_object_is_type(list, json_type_array));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *name = json_object_array_get_idx(list, i);
		MUST(json_object_is_type(name, json_type_string));
		if ((size_t)json_object_get_string_len(name) == topic.len &&
		    memcmp(json_object_get_string(name), topic.at, topic.len) == 0)
			return true;
	}
	return false;
}

static void compare(struct span body, const uint8_t *outcomes)
{
	struct json_tokener *tokener = json_tokener_new();
	MUST(tokener);
	struct json_object *root = json_tokener_parse_ex(tokener, body.at, (int)body.len);

	MUST(json_object_is_type(root, json_type_object));
	for (size_t i = 0; i < 3; i++) {
		enum auth_outcome expected = lists(root, "deny", topics[i])    ? AUTH_DENY
					     : lists(root, "allow", topics[i]) ? AUTH_ALLOW
									       : AUTH_BUSY;
		MUST(outcomes[i] == expected);
	}
	json_object_put(root);
	json_tokener_free(tokener);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span body = {(const char *)bytes, len};
	uint8_t outcomes[3] = {AUTH_ALLOW, AUTH_ALLOW, AUTH_ALLOW};

	if (auth_batch_read(&question, body, outcomes))
		compare(body, outcomes);
	else
		for (size_t i = 0; i < 3; i++)
			MUST(outcomes[i] == AUTH_BUSY);
	return 0;
}
