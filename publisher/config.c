/* config: see config.h. Turns names of settings into fields, once, at the start. */
#include "publisher/config.h"

#include "common/settings.h"

static enum handle_auth read_auth(const struct settings *s)
{
	switch (settings_word(s, SET_PUBLISH_AUTH)) {
	case PUBLISH_AUTH_REMOTE_USER: return HANDLE_AUTH_REMOTE_USER;
	case PUBLISH_AUTH_NONE: return HANDLE_AUTH_NONE;
	default: return HANDLE_AUTH_TOKEN;
	}
}

void config_read(const struct settings *s, const struct redis_login *login, struct config *out)
{
	*out = (struct config){
		.handle = {.auth = read_auth(s),
			   .max_body = settings_number(s, SET_MAX_BODY_SIZE),
			   .max_message = settings_number(s, SET_MAX_MESSAGE_SIZE)},
		.redis = login,
		.redis_timeout_ms = settings_number(s, SET_REDIS_TIMEOUT_MS),
		.topic_prefix = settings_text(s, SET_TOPIC_PREFIX),
		.history_size = settings_number(s, SET_HISTORY_SIZE),
		.history_seconds = settings_number(s, SET_HISTORY_SECONDS),
		.rate_limit = settings_number(s, SET_RATE_LIMIT_PER_SECOND),
		.wait_replicas = settings_number(s, SET_PUBLISH_WAIT_REPLICAS),
		.partitions = (unsigned)settings_number(s, SET_PARTITIONS),
	};
	if (out->handle.auth == HANDLE_AUTH_TOKEN)
		out->tokens_file = settings_text(s, SET_PUBLISH_TOKENS_FILE);
}
