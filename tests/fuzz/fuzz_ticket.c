/* fuzz_ticket: a token whose bytes are the input is never good, for nobody can sign by chance; and
 * header and claims that are signed rightly are good only with an exp to come and legal topics. The
 * first byte says which of both: `.` a token, else a header up to the line feed, then the claims.
 */
#include "streamer/ticket.h"

#include <cjose/cjose.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "common/topic.h"
#include "streamer/ticket_keys.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1764000000ull

static const char secret[] = "0123456789abcdef0123456789abcdef";

/* Appends bytes in base64url; returns the length so far. */
static size_t append(char *out, size_t at, const uint8_t *bytes, size_t len)
{
	char *text = NULL;
	size_t text_len = 0;
	cjose_err err;

	if (len == 0 || !cjose_base64url_encode(bytes, len, &text, &text_len, &err))
		return at;
	memcpy(out + at, text, text_len);
	free(text);
	return at + text_len;
}

static size_t sign(char *out, const uint8_t *bytes, size_t len)
{
	const uint8_t *stop = memchr(bytes, '\n', len);
	size_t head = stop ? (size_t)(stop - bytes) : len, at = append(out, 0, bytes, head);
	unsigned char mac[32];
	unsigned mac_len = sizeof(mac);

	out[at++] = '.';
	if (stop)
		at = append(out, at, stop + 1, len - head - 1);
	HMAC(EVP_sha256(), secret, sizeof(secret) - 1, (unsigned char *)out, at, mac, &mac_len);
	out[at++] = '.';
	return append(out, at, mac, mac_len);
}

static void check(const struct ticket *t, enum ticket_status status)
{
	MUST((status == TICKET_GOOD) == (t->why == NULL));
	if (status != TICKET_GOOD)
		return;
	MUST(t->exp > NOW);
	for (size_t i = 0; i < t->n_topics; i++) {
		struct span p = t->topics[i];
		MUST(p.len > 0 && p.len <= TOPIC_MAX_BYTES);
		MUST(p.at[p.len - 1] == '*' || topic_valid(p.at, p.len));
		MUST(p.at[p.len - 1] == '*' || ticket_allows(t, p));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char line[] = "k HS256 0123456789abcdef0123456789abcdef";
	struct ticket_keys_error error;
	char token[8192];
	struct ticket t;

	if (len < 1 || len > 4096)
		return 0;
	struct ticket_keys *keys = ticket_keys_parse(line, sizeof(line) - 1, &error);
	MUST(keys);
	bool raw = bytes[0] == '.';
	struct span text = {token, raw ? 0 : sign(token, bytes, len)};
	if (raw)
		text = (struct span){(const char *)bytes + 1, len - 1};
	enum ticket_status status = ticket_read(&t, keys, text, NOW);
	MUST(!raw || status != TICKET_GOOD);
	check(&t, status);
	ticket_done(&t);
	ticket_keys_free(keys);
	return 0;
}
