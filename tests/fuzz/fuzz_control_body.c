/* fuzz_control_body: a body becomes a control message that streamers read as the same, or an error
 * in JSON. The first byte says which kind of body the rest is. */
#include <string.h>

#include "common/buf.h"
#include "common/control.h"
#include "common/jsonspan.h"
#include "publisher/decode.h"
#include "publisher/decode_control.h"
#include "publisher/response.h"
#include "tests/fuzz/fuzz.h"

static const char *content_type(uint8_t kind)
{
	switch (kind % 4) {
	case 0: return "application/json";
	case 1: return "application/x-www-form-urlencoded";
	case 2: return "application/x-www-form-urlencoded; charset=iso-8859-1";
	default: return "application/x-www-form-urlencoded; charset=windows-1252";
	}
}

static void check_message(const struct control *c)
{
	struct control_error error;
	struct control read;
	struct buf text;

	MUST(c->id_len == 0);
	buf_init(&text, CONTROL_MAX_BYTES);
	MUST(control_format(c, &text) == 0);
	MUST(control_parse((struct span){text.data, text.len}, &read, &error) == 0);
	MUST(read.kind == c->kind && read.seconds == c->seconds);
	MUST(read.who.user_len == c->who.user_len && read.who.topic_len == c->who.topic_len);
	MUST(memcmp(read.who.user, c->who.user, c->who.user_len) == 0);
	MUST(memcmp(read.who.topic, c->who.topic, c->who.topic_len) == 0);
	buf_done(&text);
}

static void check_error(const struct response *r)
{
	MUST(r->status == 400 || r->status == 413 || r->status == 422);
	MUST(jsonspan_check(r->body.data, r->body.len, 1, NULL) == JSONSPAN_OK);
	MUST(strncmp(r->body.data, "{\"detail\":\"", 11) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct decode_media media;
	struct response r;
	struct control c;

	if (len == 0)
		return 0;
	response_init(&r);
	MUST(decode_content_type(content_type(bytes[0]), &media, &r) == 0);
	if (decode_control((struct span){(const char *)bytes + 1, len - 1}, &media, &c, &r) == 0)
		check_message(&c);
	else
		check_error(&r);
	response_done(&r);
	return 0;
}
