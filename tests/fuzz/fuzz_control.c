/* fuzz_control: a control message that is read is written in one way, which is read as the same; it
 * means whom both halves of it mean. */
#include <string.h>

#include "common/buf.h"
#include "common/control.h"
#include "tests/fuzz/fuzz.h"

static void check_selecting(const struct control_selector *who, struct span user)
{
	struct span topic = {who->topic, who->topic_len};

	MUST(control_selects(who, user, (struct span){"a", 1}) ==
	     (control_selects_user(who, user) &&
	      control_selects_topic(who, (struct span){"a", 1})));
	if (topic.len > 0 && topic.at[topic.len - 1] == '*')
		topic.len--;
	MUST(control_selects(who, (struct span){who->user, who->user_len}, topic));
	MUST(who->user_len == 0 || !control_selects(who, (struct span){0}, topic));
}

static void must_be_equal(const struct buf *a, const struct buf *b)
{
	MUST(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}

static void check_selector(const struct control_selector *who)
{
	struct control_selector again;
	struct buf first, second;

	buf_init(&first, CONTROL_MAX_BYTES);
	buf_init(&second, CONTROL_MAX_BYTES);
	MUST(control_selector_format(who, &first) == 0);
	MUST(control_selector_parse((struct span){first.data, first.len}, &again) == 0);
	MUST(control_selector_format(&again, &second) == 0);
	must_be_equal(&first, &second);
	buf_done(&first);
	buf_done(&second);
}

static void check_message(const struct control *c)
{
	struct control_error error;
	struct control again;
	struct buf first, second;

	buf_init(&first, CONTROL_MAX_BYTES);
	buf_init(&second, CONTROL_MAX_BYTES);
	MUST(control_format(c, &first) == 0);
	MUST(control_parse((struct span){first.data, first.len}, &again, &error) == 0);
	MUST(again.kind == c->kind && again.seconds == c->seconds && again.id_len == c->id_len);
	MUST(control_format(&again, &second) == 0);
	must_be_equal(&first, &second);
	buf_done(&first);
	buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span text = {(const char *)bytes, len};
	struct control_selector who;
	struct control_error error;
	struct control c;

	if (control_parse(text, &c, &error) == 0) {
		check_message(&c);
		check_selector(&c.who);
		check_selecting(&c.who, text);
	} else {
		MUST(error.why);
	}
	if (control_selector_parse(text, &who) == 0)
		check_selector(&who);
	return 0;
}
