/* access: see access.h. Tokens are kept and compared as SHA-256 digests only: of equal length,
 * compared in constant time, and always all of them, so that neither a token's beginning nor its
 * place in the file can be measured. Owns a copy of names and patterns. */
#include "publisher/access.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <strings.h>

#include "common/topic.h"
#include "common/utf8.h"
#include "publisher/sha256.h"

#define RIGHT_CONTROL "+control"

struct access_token {
	char *name;
	uint8_t digest[SHA256_BYTES];
	struct span *patterns; /* into words */
	size_t n_patterns;
	bool control;
	char *words; /* what stands behind the token, as it stood */
};

struct access_tokens {
	struct access_token *tokens;
	size_t n, cap;
};

/* ---- the file ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line; false at its end. */
static bool next_word(struct span *line, struct span *word)
{
	size_t len = 0;

	while (line->len > 0 && is_blank(*line->at))
		*line = (struct span){line->at + 1, line->len - 1};
	while (len < line->len && !is_blank(line->at[len]))
		len++;
	*word = (struct span){line->at, len};
	*line = (struct span){line->at + len, line->len - len};
	return len > 0;
}

static const char *add_pattern(struct access_token *token, struct span word)
{
	struct span *grown;

	if (!topic_pattern_valid(word))
		return "a pattern is a topic, or the beginning of topics and a *";
	grown = realloc(token->patterns, (token->n_patterns + 1) * sizeof(*grown));
	if (!grown)
		return "out of memory";
	token->patterns = grown;
	token->patterns[token->n_patterns++] = word;
	return NULL;
}

static const char *add_right(struct access_token *token, struct span word)
{
	if (!span_is(word, RIGHT_CONTROL))
		return "there is one right that a token can have: write " RIGHT_CONTROL
		       ", or take the word away (no topic begins with +)";
	token->control = true;
	return NULL;
}

static const char *read_rest(struct access_token *token, struct span line)
{
	const char *why = NULL;
	struct span rest, word;

	token->words = strndup(line.at ? line.at : "", line.len);
	if (!token->words)
		return "out of memory";
	rest = (struct span){token->words, line.len};
	while (!why && next_word(&rest, &word))
		why = word.at[0] == '+' ? add_right(token, word) : add_pattern(token, word);
	return why;
}

static const char *read_digest(struct access_token *token, struct span word)
{
	static const char prefix[] = "sha256:";
	const size_t len = sizeof(prefix) - 1;

	if (word.len >= len && memcmp(word.at, prefix, len) == 0) {
		word = (struct span){word.at + len, word.len - len};
		return sha256_parse(word, token->digest) < 0
			       ? "behind sha256: stand 64 hexadecimal digits"
			       : NULL;
	}
	return sha256(word, (struct span){0}, token->digest) < 0 ? "out of memory" : NULL;
}

static void token_done(struct access_token *token)
{
	free(token->name);
	free(token->patterns);
	free(token->words);
}

static const char *read_token(struct access_token *token, struct span line)
{
	struct span name, word;
	const char *why;

	next_word(&line, &name);
	if (!next_word(&line, &word))
		return "a line is: name token [" RIGHT_CONTROL "] [pattern ...]";
	if (span_is(word, RIGHT_CONTROL)) /* as a token, everybody could guess it */
		return RIGHT_CONTROL " stands behind the token, not before it";
	if (!utf8_valid(name.at, name.len) || utf8_has_control(name.at, name.len))
		return "a name is UTF-8 without control characters";
	token->name = strndup(name.at, name.len);
	if (!token->name)
		return "out of memory";
	why = read_digest(token, word);
	return why ? why : read_rest(token, line);
}

static const char *add_token(struct access_tokens *t, struct access_token *token)
{
	for (size_t i = 0; i < t->n; i++) {
		if (memcmp(t->tokens[i].digest, token->digest, SHA256_BYTES) == 0)
			return "this token stands in a line above already";
	}
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 8;
		struct access_token *grown = realloc(t->tokens, cap * sizeof(*grown));

		if (!grown)
			return "out of memory";
		t->tokens = grown;
		t->cap = cap;
	}
	t->tokens[t->n++] = *token;
	return NULL;
}

static const char *read_line(struct access_tokens *t, struct span line)
{
	struct access_token token = {0};
	struct span rest = line, word;
	const char *why;

	if (!next_word(&rest, &word) || word.at[0] == '#')
		return NULL;
	if (memchr(line.at, '\0', line.len))
		return "it holds a NUL";
	why = read_token(&token, line);
	if (!why)
		why = add_token(t, &token);
	if (why)
		token_done(&token);
	return why;
}

struct access_tokens *access_tokens_parse(const char *text, size_t len, struct access_error *error)
{
	struct access_tokens *t = calloc(1, sizeof(*t));

	*error = (struct access_error){.why = t ? NULL : "out of memory"};
	while (!error->why && len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len, step = line + (end != NULL);

		error->line++;
		error->why = read_line(t, (struct span){text, line});
		text += step;
		len -= step;
	}
	if (!error->why && t->n == 0)
		*error = (struct access_error){.why = "there is no token in it"};
	if (error->why) {
		access_tokens_free(t);
		return NULL;
	}
	return t;
}

void access_tokens_free(struct access_tokens *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		token_done(&t->tokens[i]);
	free(t->tokens);
	free(t);
}

/* ---- asking ---- */

int access_find(const struct access_tokens *t, struct span token, const struct access_token **found)
{
	const struct access_token *match = NULL;
	uint8_t digest[SHA256_BYTES];

	if (sha256(token, (struct span){0}, digest) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		if (CRYPTO_memcmp(t->tokens[i].digest, digest, SHA256_BYTES) == 0)
			match = &t->tokens[i];
	}
	if (!match)
		return -ENOENT;
	*found = match;
	return 0;
}

const char *access_name(const struct access_token *token)
{
	return token->name;
}

bool access_allows(const struct access_token *token, struct span topic)
{
	for (size_t i = 0; i < token->n_patterns; i++) {
		if (topic_pattern_fits(token->patterns[i], topic))
			return true;
	}
	return token->n_patterns == 0;
}

bool access_controls(const struct access_token *token)
{
	return token->control;
}

struct span access_bearer(const char *header)
{
	static const char scheme[] = "Bearer";
	const size_t len = sizeof(scheme) - 1;
	struct span rest, token, more;

	if (!header || strncasecmp(header, scheme, len) != 0 || header[len] != ' ')
		return (struct span){0};
	rest = span_of(header + len);
	if (!next_word(&rest, &token) || next_word(&rest, &more))
		return (struct span){0};
	return token;
}
