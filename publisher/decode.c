/* decode: see decode.h. Finds out what kind of body it is, hands it to decode_json or decode_form,
 * and makes one publication of what they built. */
#include "publisher/decode.h"

#include <strings.h>

#include "publisher/decode_build.h"
#include "publisher/response.h"

#define SAY_JSON_OR_FORM "send application/json or application/x-www-form-urlencoded"

/* ---- Content-Type ---- */

static bool is_word(struct span s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

/* The next of the pieces that semicolons separate, trimmed. */
static bool next_piece(struct span *rest, struct span *piece)
{
	const char *end;

	if (!rest->at)
		return false;
	end = memchr(rest->at, ';', rest->len);
	*piece = span_trim((struct span){rest->at, end ? (size_t)(end - rest->at) : rest->len});
	*rest = end ? (struct span){end + 1, rest->len - (size_t)(end - rest->at) - 1}
		    : (struct span){0};
	return true;
}

/* The value of charset= among the parameters of a media type, without quotes; at == NULL: none. */
static struct span find_charset(struct span parameters)
{
	static const char name[] = "charset=";
	const size_t len = sizeof(name) - 1;
	struct span piece;

	while (next_piece(&parameters, &piece)) {
		if (piece.len < len || strncasecmp(piece.at, name, len) != 0)
			continue;
		piece = span_trim((struct span){piece.at + len, piece.len - len});
		if (piece.len >= 2 && piece.at[0] == '"' && piece.at[piece.len - 1] == '"')
			piece = (struct span){piece.at + 1, piece.len - 2};
		return piece;
	}
	return (struct span){0};
}

int decode_content_type(const char *content_type, struct decode_media *media, struct response *r)
{
	struct decode_media m = {.charset = CHARSET_UTF8};
	struct span rest = span_of(content_type), type, charset;

	if (!next_piece(&rest, &type) || type.len == 0) {
		response_error(r, 415, "Content-Type",
			       "there is no Content-Type: " SAY_JSON_OR_FORM);
		return -1;
	}
	if (is_word(type, "multipart/form-data")) {
		response_error(
			r, 415, "Content-Type",
			"multipart/form-data is not read here: " SAY_JSON_OR_FORM
			" (PHP's curl sends multipart when CURLOPT_POSTFIELDS is an array: give it "
			"http_build_query($fields))");
		return -1;
	}
	m.form = is_word(type, "application/x-www-form-urlencoded");
	if (!m.form && !is_word(type, "application/json")) {
		response_error(r, 415, "Content-Type",
			       "this Content-Type is not read here: " SAY_JSON_OR_FORM);
		return -1;
	}
	charset = find_charset(rest);
	if (m.form && charset.at && charset_find(charset, &m.charset) < 0) {
		response_error(
			r, 415, "Content-Type",
			"this charset is not read here: send UTF-8 (or iso-8859-1, windows-1252)");
		return -1;
	}
	*media = m;
	return 0;
}

/* ---- the body ---- */

int decode_check_idempotency_key(struct span key, const char *field, struct response *r)
{
	if (key.len > 0 && key.len <= DECODE_MAX_KEY)
		return 0;
	response_error(r, 422, field, "an idempotency key takes 1 to %d bytes", DECODE_MAX_KEY);
	return -1;
}

/* Topics were collected in the order of the events, in an array that moved as it grew. */
static void hand_out_topics(struct publication *p)
{
	size_t first = 0;

	for (size_t i = 0; i < p->n_events; i++) {
		p->events[i].topics = p->topics + first;
		first += p->events[i].n_topics;
	}
}

int decode_refuse_empty(struct response *r)
{
	response_error(r, 400, NULL,
		       "the body is empty (Apache's mod_fcgid hands over an empty one when the "
		       "request passed its own limit, FcgidMaxRequestLen or LimitRequestBody)");
	return -1;
}

int decode_body(struct span body, const struct decode_media *media, size_t max_message,
		struct publication *p, struct response *r)
{
	struct decode_build b = {.p = p, .r = r, .max_message = max_message};
	int rc;

	*p = (struct publication){0};
	if (body.len == 0)
		return decode_refuse_empty(r);
	rc = media->form ? decode_form(&b, body, media->charset) : decode_json(&b, body);
	if (rc == 0)
		hand_out_topics(p);
	return rc;
}
