/* control: a walk over one small JSON object, checked as strictly as a selector deserves: one that
 * is misread would end the wrong streams. Owns nothing. */
#include "common/control.h"

#include "common/buf.h"
#include "common/jsonspan.h"
#include "common/num.h"
#include "common/utf8.h"

#define MAX_DEPTH 3

static const char *const verbs[] = {
	[CONTROL_DISCONNECT] = "disconnect",
	[CONTROL_RECHECK] = "recheck",
	[CONTROL_REVOKE] = "revoke",
};

const char *control_verb(enum control_kind kind)
{
	return verbs[kind];
}

static int fail(struct control_error *error, const char *field, const char *why)
{
	*error = (struct control_error){.field = field, .why = why};
	return -1;
}

/* ---- what is selected ---- */

bool control_user_valid(struct span user)
{
	return user.at && user.len > 0 && user.len <= CONTROL_USER_BYTES &&
	       utf8_valid(user.at, user.len) && !utf8_has_control(user.at, user.len);
}

bool control_selects_user(const struct control_selector *who, struct span user)
{
	return who->user_len == 0 ||
	       (user.at && span_equal((struct span){who->user, who->user_len}, user));
}

bool control_selects_topic(const struct control_selector *who, struct span topic)
{
	return who->topic_len == 0 ||
	       topic_pattern_fits((struct span){who->topic, who->topic_len}, topic);
}

bool control_selects(const struct control_selector *who, struct span user, struct span topic)
{
	return control_selects_user(who, user) && control_selects_topic(who, topic);
}

/* ---- reading ---- */

struct reading {
	struct control *out;
	struct control_error *error;
	bool all, seconds;
};

/* Decodes a JSON string; 0 when it does not fit or is none. */
static size_t take_text(struct span value, char *out, size_t max)
{
	char text[CONTROL_MAX_BYTES];

	if (!jsonspan_is_string(value) || value.len > sizeof(text))
		return 0;
	size_t len = jsonspan_unescape(value, text);
	if (len > max)
		return 0;
	memcpy(out, text, len);
	return len;
}

static int read_user(struct reading *r, struct span value)
{
	struct control_selector *who = &r->out->who;

	if (who->user_len > 0)
		return fail(r->error, "user", "user stands there twice");
	who->user_len = take_text(value, who->user, sizeof(who->user));
	if (control_user_valid((struct span){who->user, who->user_len}))
		return 0;
	return fail(r->error, "user",
		    "a user is a text of 1 to 256 bytes without control characters");
}

static int read_topic(struct reading *r, struct span value)
{
	struct control_selector *who = &r->out->who;

	if (who->topic_len > 0)
		return fail(r->error, "topic", "topic stands there twice");
	who->topic_len = take_text(value, who->topic, sizeof(who->topic));
	if (topic_pattern_valid((struct span){who->topic, who->topic_len}))
		return 0;
	return fail(r->error, "topic", "a topic, or the beginning of topics and a *");
}

static int read_all(struct reading *r, struct span value)
{
	if (r->all)
		return fail(r->error, "all", "all stands there twice");
	if (!span_is(value, "true"))
		return fail(r->error, "all", "all can be true alone");
	r->all = true;
	return 0;
}

static int read_seconds(struct reading *r, struct span value)
{
	uint64_t n;

	if (r->seconds)
		return fail(r->error, "seconds", "seconds stands there twice");
	if (num_parse_u64(value.at, value.len, 0, CONTROL_MAX_SECONDS, &n) != 0)
		return fail(r->error, "seconds", "seconds is a number from 0 to 2592000");
	r->seconds = true;
	r->out->seconds = (uint32_t)n;
	return 0;
}

static int read_member(struct reading *r, struct span name, struct span value)
{
	if (jsonspan_string_is(name, "user"))
		return read_user(r, value);
	if (jsonspan_string_is(name, "topic"))
		return read_topic(r, value);
	if (jsonspan_string_is(name, "all"))
		return read_all(r, value);
	if (jsonspan_string_is(name, "seconds") && r->out->kind == CONTROL_REVOKE)
		return read_seconds(r, value);
	return fail(r->error, NULL, "user, topic, all and, of revoke, seconds can stand there");
}

/* Whoever forgets to say whom it means does not mean everybody. */
static int check_selected(struct reading *r)
{
	bool named = r->out->who.user_len > 0 || r->out->who.topic_len > 0;

	if (r->all && named)
		return fail(r->error, "all", "all stands alone, without user and topic");
	if (!r->all && !named)
		return fail(r->error, NULL, "it must name a user, a topic, or say \"all\":true");
	return 0;
}

static int read_selector(struct reading *r, struct span object)
{
	struct jsonspan_walk w;
	struct span name, value;

	if (!jsonspan_walk(&w, object) || !w.object)
		return fail(r->error, NULL, "whom it means is an object");
	while (jsonspan_next(&w, &name, &value) == JSONSPAN_OK)
		if (read_member(r, name, value) != 0)
			return -1;
	return check_selected(r);
}

static int read_verb(struct reading *r, struct span name, struct span value)
{
	size_t i = 0;
	int rc;

	while (i < sizeof(verbs) / sizeof(verbs[0]) && !jsonspan_string_is(name, verbs[i]))
		i++;
	if (i == sizeof(verbs) / sizeof(verbs[0]))
		return fail(r->error, NULL, "it is disconnect, recheck or revoke");
	r->out->kind = (enum control_kind)i;
	rc = read_selector(r, value);
	if (rc == 0 && r->out->kind == CONTROL_REVOKE && !r->seconds)
		rc = fail(r->error, "seconds", "revoke needs seconds");
	if (rc != 0)
		r->error->verb = verbs[i];
	return rc;
}

static int read_id(struct reading *r, struct span value)
{
	if (r->out->id_len > 0)
		return fail(r->error, "id", "id stands there twice");
	r->out->id_len = take_text(value, r->out->id, sizeof(r->out->id));
	return r->out->id_len > 0 ? 0 : fail(r->error, "id", "an id is a text of at most 64 bytes");
}

static int read_whole(struct reading *r, struct span json)
{
	struct jsonspan_walk w;
	struct span name, value;
	size_t verbs_seen = 0;

	if (!jsonspan_walk(&w, json) || !w.object)
		return fail(r->error, NULL, "a control message is a JSON object");
	while (jsonspan_next(&w, &name, &value) == JSONSPAN_OK) {
		bool id = jsonspan_string_is(name, "id");
		if (!id && verbs_seen++ > 0)
			return fail(r->error, NULL, "one thing at a time");
		if ((id ? read_id(r, value) : read_verb(r, name, value)) != 0)
			return -1;
	}
	return verbs_seen > 0 ? 0 : fail(r->error, NULL, "it is disconnect, recheck or revoke");
}

/* Why the text can't be read, or breaks a rule of all JSON here; NULL when it is well. */
static const char *check_text(struct span json, bool *unreadable)
{
	*unreadable = json.len <= CONTROL_MAX_BYTES;
	if (json.len > CONTROL_MAX_BYTES)
		return "a control message has at most 4096 bytes";
	switch (jsonspan_check(json.at, json.len, MAX_DEPTH, NULL)) {
	case JSONSPAN_OK: return NULL;
	case JSONSPAN_DEPTH: *unreadable = false; return "it nests too deep";
	case JSONSPAN_SURROGATE:
		*unreadable = false;
		return "a \\ud800-\\udfff escape stands without its partner: it names no "
		       "character";
	case JSONSPAN_UTF8: return "it is not UTF-8, as JSON is";
	default: return "it is not JSON";
	}
}

int control_parse(struct span json, struct control *out, struct control_error *error)
{
	struct reading r = {.out = out, .error = error};

	memset(out, 0, sizeof(*out));
	*error = (struct control_error){0};
	error->why = check_text(json, &error->unreadable);
	return error->why ? -1 : read_whole(&r, jsonspan_trim(json.at, json.len));
}

int control_selector_parse(struct span json, struct control_selector *out)
{
	struct control c = {.kind = CONTROL_DISCONNECT};
	struct control_error error;
	struct reading r = {.out = &c, .error = &error};
	bool unreadable;

	if (check_text(json, &unreadable) ||
	    read_selector(&r, jsonspan_trim(json.at, json.len)) != 0)
		return -1;
	*out = c.who;
	return 0;
}

/* ---- writing ---- */

static int put_members(const struct control_selector *who, struct buf *out)
{
	int rc = 0;

	if (who->user_len == 0 && who->topic_len == 0)
		return buf_append_str(out, "\"all\":true");
	if (who->user_len > 0)
		rc = buf_append_str(out, "\"user\":");
	if (rc == 0 && who->user_len > 0)
		rc = jsonspan_append_string(out, who->user, who->user_len);
	if (rc == 0 && who->user_len > 0 && who->topic_len > 0)
		rc = buf_append_char(out, ',');
	if (rc == 0 && who->topic_len > 0)
		rc = buf_printf(out, "\"topic\":\"%.*s\"", (int)who->topic_len, who->topic);
	return rc;
}

int control_selector_format(const struct control_selector *who, struct buf *out)
{
	int rc = buf_append_char(out, '{');

	if (rc == 0)
		rc = put_members(who, out);
	return rc < 0 ? rc : buf_append_char(out, '}');
}

static int put_id(const struct control *c, struct buf *out)
{
	int rc = buf_append_str(out, ",\"id\":");
	return rc < 0 ? rc : jsonspan_append_string(out, c->id, c->id_len);
}

int control_format(const struct control *c, struct buf *out)
{
	int rc = buf_printf(out, "{\"%s\":{", verbs[c->kind]);

	if (rc == 0)
		rc = put_members(&c->who, out);
	if (rc == 0 && c->kind == CONTROL_REVOKE)
		rc = buf_printf(out, ",\"seconds\":%u", c->seconds);
	if (rc == 0)
		rc = buf_append_char(out, '}');
	if (rc == 0 && c->id_len > 0)
		rc = put_id(c, out);
	return rc < 0 ? rc : buf_append_char(out, '}');
}
