/* auth_reply: from an HTTP answer to a verdict, and from many verdicts to one. Text from the
 * backend is passed on to strangers, so it is cut at whole characters and must be clean. Asking is
 * auth.c's. */
#include "streamer/auth_reply.h"

#include <json-c/json.h>
#include <string.h>
#include "common/jsonspan.h"
#include "common/num.h"
#include "common/utf8.h"

#define EXPIRES_MAX_SECONDS 1000000000u

static size_t whole_characters(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* FastAPI's form: {"detail":"…"}; a detail that is no string is passed over. */
static void read_detail(struct span body, char *out)
{
	out[0] = '\0';
	if (body.len == 0 || jsonspan_check(body.at, body.len, 16, NULL) != JSONSPAN_OK)
		return;
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root = NULL, *detail = NULL;
	if (tokener && body.len <= INT32_MAX)
		root = json_tokener_parse_ex(tokener, body.at, (int)body.len);
	if (root && json_object_object_get_ex(root, "detail", &detail) &&
	    json_object_is_type(detail, json_type_string)) {
		const char *text = json_object_get_string(detail);
		size_t len = (size_t)json_object_get_string_len(detail);
		len = whole_characters(text, len, AUTH_DETAIL_MAX_BYTES);
		if (!memchr(text, '\0', len)) {
			memcpy(out, text, len);
			out[len] = '\0';
		}
	}
	json_object_put(root);
	if (tokener)
		json_tokener_free(tokener);
}

static void copy_header(struct span value, char *out)
{
	out[0] = '\0';
	if (!value.at || value.len >= AUTH_HEADER_MAX_BYTES)
		return;
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.at[i] < 0x20 || (unsigned char)value.at[i] > 0x7e)
			return;
	memcpy(out, value.at, value.len);
	out[value.len] = '\0';
}

void auth_reply_read(unsigned status, struct span www_authenticate, struct span body,
		     struct auth_verdict *out)
{
	memset(out, 0, sizeof(*out));
	out->status = status;
	if (status >= 200 && status < 300) {
		out->outcome = AUTH_ALLOW;
	} else if (status == 401 || status == 403) {
		out->outcome = AUTH_DENY;
		copy_header(www_authenticate, out->www_authenticate);
		read_detail(body, out->detail);
	} else {
		out->outcome = AUTH_BUSY;
	}
}

static bool take_user(struct span user, char *out)
{
	if (!user.at || user.len == 0)
		return true;
	if (!control_user_valid(user))
		return false;
	memcpy(out, user.at, user.len);
	out[user.len] = '\0';
	return true;
}

static bool take_expiry(struct span expires, double now, double *until)
{
	uint64_t seconds;

	if (!expires.at)
		return true;
	if (num_parse_u64(expires.at, expires.len, 0, EXPIRES_MAX_SECONDS, &seconds) != 0)
		return false;
	*until = now + (seconds > 0 ? (double)seconds : 1.);
	return true;
}

/* An expiry that was read as none would be a right without end, a user that was nobody could not be
 * thrown out. */
bool auth_reply_grant(struct span user, struct span expires, double now, struct auth_verdict *out)
{
	bool known = take_user(user, out->user);

	if (out->outcome != AUTH_ALLOW)
		return true;
	if (known && take_expiry(expires, now, &out->until))
		return true;
	out->outcome = AUTH_BUSY;
	return false;
}

const struct auth_verdict *auth_reply_plain(enum auth_outcome outcome)
{
	static const struct auth_verdict allowed = {.outcome = AUTH_ALLOW};
	static const struct auth_verdict denied = {.outcome = AUTH_DENY, .status = 403};
	static const struct auth_verdict busy = {.outcome = AUTH_BUSY};

	return outcome == AUTH_ALLOW ? &allowed : outcome == AUTH_DENY ? &denied : &busy;
}

enum auth_outcome auth_reply_decide(const struct auth_verdict *const *verdicts, size_t n,
				    size_t *deciding)
{
	bool pending = false, busy = false;

	*deciding = 0;
	for (size_t i = 0; i < n; i++) {
		enum auth_outcome outcome = verdicts[i] ? verdicts[i]->outcome : AUTH_PENDING;
		if (outcome == AUTH_DENY && !pending) {
			*deciding = i;
			return AUTH_DENY;
		}
		if (outcome == AUTH_PENDING)
			pending = true;
		if (outcome == AUTH_BUSY && !busy) {
			busy = true;
			*deciding = i;
		}
	}
	if (pending)
		return AUTH_PENDING;
	return busy ? AUTH_BUSY : AUTH_ALLOW;
}
