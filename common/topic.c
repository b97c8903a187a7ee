/* topic: the grammar of topic names and the names in Redis that are made of them: channels and our
 * own keys. Owns nothing; which topics exist, and who may use them, is decided elsewhere. */
#include "common/topic.h"

#include <assert.h>
#include <stdio.h>

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

bool topic_pattern_open(struct span pattern)
{
	return pattern.len > 0 && pattern.at[pattern.len - 1] == '*';
}

bool topic_pattern_valid(struct span pattern)
{
	if (!topic_pattern_open(pattern))
		return topic_valid(pattern.at, pattern.len);
	return pattern.len == 1 || topic_valid(pattern.at, pattern.len - 1);
}

bool topic_pattern_fits(struct span pattern, struct span topic)
{
	size_t len = pattern.len - 1;

	if (!topic_pattern_open(pattern))
		return span_equal(pattern, topic);
	return topic.len >= len && memcmp(topic.at, pattern.at, len) == 0;
}

static char *put(char *at, const char *bytes, size_t len)
{
	if (len > 0)
		memcpy(at, bytes, len);
	return at + len;
}

void topic_space_init(struct topic_space *s, const char *prefix, const char *tag)
{
	const char *colon = *prefix ? ":" : "";

	s->keys_len = (size_t)snprintf(s->keys, sizeof(s->keys),
				       *tag ? "%s%ssse:{%s}:" : "%s%ssse:", prefix, colon, tag);
	s->channels_len =
		*tag ? (size_t)snprintf(s->channels, sizeof(s->channels), "%s", s->keys)
		     : (size_t)snprintf(s->channels, sizeof(s->channels), "%s%s", prefix, colon);
	assert(s->keys_len < sizeof(s->keys) && s->channels_len < sizeof(s->channels));
}

size_t topic_channel(const struct topic_space *s, struct span topic, char *out)
{
	char *at = put(out, s->channels, s->channels_len);

	assert(s->channels_len + topic.len < TOPIC_KEY_MAX_BYTES);
	at = put(at, topic.at, topic.len);
	*at = '\0';
	return (size_t)(at - out);
}

size_t topic_key(const struct topic_space *s, const char *name, struct span topic, char *out)
{
	size_t name_len = strlen(name);
	char *at = put(out, s->keys, s->keys_len);

	assert(s->keys_len + name_len + topic.len < TOPIC_KEY_MAX_BYTES);
	at = put(at, name, name_len);
	at = put(at, topic.at, topic.len);
	*at = '\0';
	return (size_t)(at - out);
}

struct span topic_of_channel(const struct topic_space *s, struct span channel)
{
	size_t len = s->channels_len;

	if (channel.len <= len || memcmp(channel.at, s->channels, len) != 0)
		return (struct span){0};
	return (struct span){channel.at + len, channel.len - len};
}
