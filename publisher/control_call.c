/* control_call: see control_call.h. The one place that knows the order of KEYS and ARGV of
 * control.lua. */
#include "publisher/control_call.h"

#include "common/buf.h"
#include "common/control.h"
#include "common/resp.h"
#include "common/topic.h"
#include "publisher/control_lua.h"

enum { WORDS = 3 + 1 + 5 }; /* the call, one key, the arguments */

static int write_key(const struct control_call *call, struct buf *b)
{
	char key[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_key(call->space, "revoked", span_of(""), key);

	return resp_word(b, (struct span){key, len});
}

static int write_channel(const struct control_call *call, struct buf *b)
{
	char channel[TOPIC_KEY_MAX_BYTES];
	size_t len = topic_channel(call->space, span_of(CONTROL_TOPIC), channel);

	return resp_word(b, (struct span){channel, len});
}

static int write_seconds(const struct control_call *call, struct buf *b)
{
	if (call->control->kind != CONTROL_REVOKE)
		return resp_text(b, "");
	return resp_number(b, call->control->seconds);
}

int control_call_write(const struct control_call *call, bool with_text, struct buf *b)
{
	int rc = resp_command(b, WORDS);

	if (rc == 0)
		rc = resp_text(b, with_text ? "EVAL" : "EVALSHA");
	if (rc == 0)
		rc = resp_text(b, with_text ? control_lua : CONTROL_LUA_SHA);
	if (rc == 0)
		rc = resp_number(b, 1);
	if (rc == 0)
		rc = write_key(call, b);
	if (rc == 0)
		rc = resp_text(b, call->sharded ? "SPUBLISH" : "PUBLISH");
	if (rc == 0)
		rc = write_channel(call, b);
	if (rc == 0)
		rc = resp_word(b, call->message);
	if (rc == 0)
		rc = write_seconds(call, b);
	return rc < 0 ? rc : resp_word(b, call->selector);
}
