/* ticket_keys: see ticket_keys.h. What a PEM file holds is for OpenSSL to say; the key is then made
 * anew for cjose, which takes numbers. Nothing here looks at a token. */
#include "streamer/ticket_keys.h"

#include <cjose/cjose.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define RSA_MIN_BITS     2048
#define RSA_MAX_BITS     8192 /* a larger one would stop the loop for too long */
#define EC_BYTES         32   /* of a coordinate on P-256 */
#define PATH_MAX_BYTES   4095
#define NUMBER_MAX_BYTES (RSA_MAX_BITS / 8)

static const char out_of_memory[] = "out of memory";

/* ---- one key; each returns NULL with a static *why ---- */

static cjose_jwk_t *make_secret(const uint8_t *bytes, size_t len, const char **why)
{
	cjose_err err;
	cjose_jwk_t *jwk = NULL;

	if (len < TICKET_SECRET_MIN_BYTES)
		*why = "a secret for HS256 has 32 bytes at least";
	else if (!(jwk = cjose_jwk_create_oct_spec(bytes, len, &err)))
		*why = out_of_memory;
	return jwk;
}

static cjose_jwk_t *read_secret(struct span word, const char **why)
{
	static const char prefix[] = "base64:";
	const size_t skip = sizeof(prefix) - 1;
	uint8_t *bytes = NULL;
	size_t len = 0;
	cjose_err err;

	if (word.len < skip || memcmp(word.at, prefix, skip) != 0)
		return make_secret((const uint8_t *)word.at, word.len, why);
	if (!cjose_base64_decode(word.at + skip, word.len - skip, &bytes, &len, &err)) {
		*why = "what follows base64: is not base64";
		return NULL;
	}
	cjose_jwk_t *jwk = make_secret(bytes, len, why);
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
	return jwk;
}

static EVP_PKEY *read_pem(struct span word, const char **why)
{
	char path[PATH_MAX_BYTES + 1];
	char no_password[] = ""; /* or OpenSSL would ask the terminal for one */
	EVP_PKEY *key = NULL;

	if (word.len > PATH_MAX_BYTES || word.at[0] != '/') {
		*why = "the key of RS256 and ES256 is a path that begins with /, of a PEM file";
		return NULL;
	}
	memcpy(path, word.at, word.len);
	path[word.len] = '\0';
	BIO *file = BIO_new_file(path, "r");
	if (file)
		key = PEM_read_bio_PUBKEY(file, NULL, NULL, no_password);
	if (!file)
		*why = "its PEM file can't be opened";
	else if (!key)
		*why = "its PEM file holds no public key (-----BEGIN PUBLIC KEY-----)";
	BIO_free(file);
	return key;
}

/* One number of a key, big end first, of `width` bytes, or of as many as it needs (0). Returns its
 * length, 0 when there is none. */
static size_t number_of(const EVP_PKEY *key, const char *name, size_t width, uint8_t *out)
{
	BIGNUM *n = NULL;
	int len = 0;

	if (EVP_PKEY_get_bn_param(key, name, &n) != 1)
		return 0;
	if (width == 0 && (size_t)BN_num_bytes(n) <= NUMBER_MAX_BYTES)
		len = BN_bn2bin(n, out);
	else if (width > 0)
		len = BN_bn2binpad(n, out, (int)width);
	BN_free(n);
	return len > 0 ? (size_t)len : 0;
}

static cjose_jwk_t *make_rsa(const EVP_PKEY *key, const char **why)
{
	uint8_t n[NUMBER_MAX_BYTES], e[NUMBER_MAX_BYTES];
	cjose_jwk_rsa_keyspec spec = {.n = n, .e = e};
	cjose_jwk_t *jwk = NULL;
	cjose_err err;
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || bits < RSA_MIN_BITS ||
	    bits > RSA_MAX_BITS) {
		*why = "RS256 wants an RSA key of 2048 to 8192 bits";
		return NULL;
	}
	spec.nlen = number_of(key, OSSL_PKEY_PARAM_RSA_N, 0, n);
	spec.elen = number_of(key, OSSL_PKEY_PARAM_RSA_E, 0, e);
	if (spec.nlen && spec.elen)
		jwk = cjose_jwk_create_RSA_spec(&spec, &err);
	if (!jwk)
		*why = "its RSA key can't be used";
	return jwk;
}

static cjose_jwk_t *make_ec(const EVP_PKEY *key, const char **why)
{
	uint8_t x[EC_BYTES], y[EC_BYTES];
	cjose_jwk_ec_keyspec spec = {.crv = CJOSE_JWK_EC_P_256, .x = x, .y = y};
	cjose_jwk_t *jwk = NULL;
	char curve[32] = "";
	cjose_err err;

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
	    EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) != 1 ||
	    strcmp(curve, SN_X9_62_prime256v1) != 0) {
		*why = "ES256 wants an EC key on the curve P-256";
		return NULL;
	}
	spec.xlen = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, EC_BYTES, x);
	spec.ylen = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, EC_BYTES, y);
	if (spec.xlen && spec.ylen)
		jwk = cjose_jwk_create_EC_spec(&spec, &err);
	if (!jwk)
		*why = "its EC key can't be used";
	return jwk;
}

static cjose_jwk_t *read_public(struct span word, bool rsa, const char **why)
{
	EVP_PKEY *key = read_pem(word, why);
	cjose_jwk_t *jwk = NULL;

	if (key)
		jwk = rsa ? make_rsa(key, why) : make_ec(key, why);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return jwk;
}

/* ---- lines ---- */

/* The next word of a line; at == NULL: there is none. */
static struct span next_word(struct span *line)
{
	struct span word = span_trim(*line);

	if (word.len == 0)
		return (struct span){NULL, 0};
	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] == ' ' || word.at[i] == '\t') {
			*line = (struct span){word.at + i, word.len - i};
			return (struct span){word.at, i};
		}
	*line = (struct span){word.at + word.len, 0};
	return word;
}

static const char *read_kid(const struct ticket_keys *keys, struct span word, char *out)
{
	if (word.len > TICKET_KID_MAX_BYTES)
		return "a kid has 64 bytes at most";
	for (size_t i = 0; i < word.len; i++)
		if (word.at[i] <= ' ' || word.at[i] >= 0x7f)
			return "a kid is of printable ASCII";
	for (size_t i = 0; i < keys->n; i++)
		if (span_is(word, keys->keys[i].kid))
			return "this kid has a key already";
	memcpy(out, word.at, word.len);
	out[word.len] = '\0';
	return NULL;
}

static const char *read_key(struct ticket_key *k, struct span alg, struct span word)
{
	const char *why = NULL;

	if (span_is(alg, "HS256"))
		k->alg = "HS256", k->jwk = read_secret(word, &why);
	else if (span_is(alg, "RS256"))
		k->alg = "RS256", k->jwk = read_public(word, true, &why);
	else if (span_is(alg, "ES256"))
		k->alg = "ES256", k->jwk = read_public(word, false, &why);
	else
		why = "the algorithm is none of HS256, RS256, ES256";
	return why;
}

/* Returns NULL, or what is wrong. */
static const char *read_line(struct ticket_keys *keys, struct span line)
{
	struct span kid = next_word(&line), alg = next_word(&line), word = next_word(&line);
	struct ticket_key *k = &keys->keys[keys->n];
	const char *why;

	if (!kid.at || kid.at[0] == '#')
		return NULL;
	if (!word.at || next_word(&line).at)
		return "a line is a kid, an algorithm and a key";
	if (keys->n == TICKET_KEYS_MAX)
		return "there are more than 16 keys";
	why = read_kid(keys, kid, k->kid);
	why = why ? why : read_key(k, alg, word);
	if (!why)
		keys->n++;
	return why;
}

struct ticket_keys *ticket_keys_parse(const char *text, size_t len, struct ticket_keys_error *error)
{
	struct ticket_keys *keys = calloc(1, sizeof(*keys));
	const char *at = text, *end = text + len;

	*error = (struct ticket_keys_error){0, keys ? NULL : out_of_memory};
	while (keys && at < end && !error->why) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct span line = {at, (size_t)((stop ? stop : end) - at)};

		if (line.len > 0 && line.at[line.len - 1] == '\r')
			line.len--;
		error->line++;
		error->why = read_line(keys, line);
		at = stop ? stop + 1 : end;
	}
	if (!error->why && keys->n == 0)
		*error = (struct ticket_keys_error){0, "it holds no key"};
	if (!error->why)
		return keys;
	ticket_keys_free(keys);
	return NULL;
}

void ticket_keys_free(struct ticket_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->n; i++)
		cjose_jwk_release(keys->keys[i].jwk);
	free(keys);
}
