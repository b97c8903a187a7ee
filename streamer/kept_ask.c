/* kept_ask: a hash table of texts: method, URI, and names and values of headers, each with a NUL
 * behind it (none holds one: http_request.c). The text is its own key. */
#include "streamer/kept_ask.h"

#include <stdlib.h>
#include <string.h>
#include "common/buf.h"
#include "common/keyed_hash.h"
#include "streamer/ask.h"

#define TEXT_MAX_BYTES 65536 /* far above the head of a request */

struct kept_ask {
	size_t holders;
	size_t n_headers;
	UT_hash_handle hh;
	size_t len;
	char text[];
};

void kept_asks_init(struct kept_asks *k)
{
	*k = (struct kept_asks){.seed = keyed_hash_seed()};
}

static int put(struct buf *b, struct span part)
{
	int err = buf_append(b, part.at, part.len);
	return err ? err : buf_append_char(b, '\0');
}

static int write_text(const struct ask *ask, struct buf *b, size_t *n_headers)
{
	int err = put(b, ask->method);

	if (!err)
		err = put(b, ask->uri);
	*n_headers = 0;
	for (size_t i = 0; i < ask->n_forward && !err; i++) {
		if (http_name_equal(ask->forward[i].name, span_of("X-Request-Id")))
			continue;
		err = put(b, ask->forward[i].name);
		if (!err)
			err = put(b, ask->forward[i].value);
		++*n_headers;
	}
	return err;
}

static struct kept_ask *add(struct kept_asks *k, const struct buf *text, unsigned hash)
{
	struct kept_ask *one = calloc(1, sizeof(*one) + text->len);

	if (!one)
		return NULL;
	one->len = text->len;
	memcpy(one->text, text->data, text->len);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, k->table, one->text, (unsigned)text->len, hash, one);
	if (!one->hh.tbl) {
		free(one);
		return NULL;
	}
	k->bytes += sizeof(*one) + one->len;
	return one;
}

struct kept_ask *kept_ask_hold(struct kept_asks *k, const struct ask *ask)
{
	struct kept_ask *one = NULL;
	size_t n_headers;
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	if (write_text(ask, &text, &n_headers) == 0) {
		unsigned hash = keyed_hash(k->seed, text.data, text.len);
		HASH_FIND_BYHASHVALUE(hh, k->table, text.data, (unsigned)text.len, hash, one);
		if (!one)
			one = add(k, &text, hash);
	}
	buf_done(&text);
	if (one) {
		one->n_headers = n_headers;
		one->holders++;
	}
	return one;
}

void kept_ask_release(struct kept_asks *k, struct kept_ask *one)
{
	if (!one || --one->holders > 0)
		return;
	k->bytes -= sizeof(*one) + one->len;
	HASH_DEL(k->table, one);
	free(one);
}

/* ---- once more ---- */

static struct span take(const char **at)
{
	struct span part = span_of(*at);

	*at += part.len + 1;
	return part;
}

static void read_text(const struct kept_ask *one, struct ask *ask)
{
	const char *at = one->text;

	ask->method = take(&at);
	ask->uri = take(&at);
	for (size_t i = 0; i < one->n_headers; i++) {
		ask->forward[i].name = take(&at);
		ask->forward[i].value = take(&at);
	}
	ask->n_forward = one->n_headers;
}

/* Their names stand one behind the other in ask->decoded. */
static void copy_topics(struct ask *ask, const struct span *topics, size_t n)
{
	char *at = ask->decoded;

	for (size_t i = 0; i < n; i++) {
		memcpy(at, topics[i].at, topics[i].len);
		ask->topics[i] = (struct span){at, topics[i].len};
		at += topics[i].len;
	}
	ask->n_topics = n;
}

struct ask *kept_ask_again(const struct kept_ask *one, const struct span *topics, size_t n)
{
	struct ask *ask = calloc(1, sizeof(*ask));
	size_t bytes = 1;

	if (!ask)
		return NULL;
	for (size_t i = 0; i < n; i++)
		bytes += topics[i].len;
	ask->kind = ASK_STREAM;
	ask->topics = calloc(n + 1, sizeof(*ask->topics));
	ask->forward = calloc(one->n_headers + 1, sizeof(*ask->forward));
	ask->decoded = malloc(bytes);
	if (!ask->topics || !ask->forward || !ask->decoded) {
		ask_free(ask);
		return NULL;
	}
	read_text(one, ask);
	copy_topics(ask, topics, n);
	return ask;
}
