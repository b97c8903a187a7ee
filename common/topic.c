/* topic: the grammar of topic names and the names in Redis that are made of them: channels and our
 * own keys. Owns nothing; which topics exist, and who may use them, is decided elsewhere. */
#include "common/topic.h"

#include <assert.h>

static bool alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool topic_char(char c)
{
	return alphanumeric(c) || (c != '\0' && strchr("._:-@/~+=", c));
}

bool topic_valid(const char *name, size_t len)
{
	if (len == 0 || len > TOPIC_MAX_BYTES || !alphanumeric(name[0]))
		return false;
	for (size_t i = 1; i < len; i++) {
		if (!topic_char(name[i]))
			return false;
	}
	return true;
}

bool topic_reserved(const char *name, size_t len)
{
	return len >= 4 && memcmp(name, "sse:", 4) == 0;
}

static char *put(char *at, const char *bytes, size_t len)
{
	if (len > 0)
		memcpy(at, bytes, len);
	return at + len;
}

/* `[prefix:]` + kind + name + topic. Prefix and topic were checked when they came in, so the name
 * always fits. */
static size_t join(const char *prefix, const char *kind, const char *name, struct span topic,
		   char *out)
{
	size_t prefix_len = strlen(prefix), kind_len = strlen(kind), name_len = strlen(name);
	char *at = out;

	assert(prefix_len + 1 + kind_len + name_len + topic.len < TOPIC_KEY_MAX_BYTES);
	at = put(at, prefix, prefix_len);
	at = put(at, ":", prefix_len > 0);
	at = put(at, kind, kind_len);
	at = put(at, name, name_len);
	at = put(at, topic.at, topic.len);
	*at = '\0';
	return (size_t)(at - out);
}

size_t topic_channel(const char *prefix, struct span topic, char *out)
{
	return join(prefix, "", "", topic, out);
}

size_t topic_key(const char *prefix, const char *name, struct span topic, char *out)
{
	return join(prefix, "sse:", name, topic, out);
}

struct span topic_of_channel(const char *prefix, struct span channel)
{
	size_t len = strlen(prefix);

	if (len == 0)
		return channel;
	if (channel.len <= len || memcmp(channel.at, prefix, len) != 0 || channel.at[len] != ':')
		return (struct span){0};
	return (struct span){channel.at + len + 1, channel.len - len - 1};
}
