/* tokens: signed tokens made by hand with OpenSSL, and keys in files, for tests of ticket.c. */
#ifndef TIDINGS_TESTS_UNIT_TOKENS_H
#define TIDINGS_TESTS_UNIT_TOKENS_H

#include <check.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_BYTES 8192

/* Appends bytes in base64url without padding. */
static inline void token_append(char *token, const void *bytes, size_t len)
{
	char *at = token + strlen(token);
	unsigned char plain[TOKEN_BYTES];
	int n;

	ck_assert_uint_lt(len * 4 / 3 + 4, sizeof(plain));
	n = EVP_EncodeBlock(plain, bytes, (int)len);
	while (n > 0 && plain[n - 1] == '=')
		n--;
	for (int i = 0; i < n; i++)
		*at++ = plain[i] == '+' ? '-' : plain[i] == '/' ? '_' : (char)plain[i];
	*at = '\0';
}

/* `header.claims.`, both in base64url. */
static inline void token_begin(char *token, const char *header, const char *claims)
{
	token[0] = '\0';
	token_append(token, header, strlen(header));
	strcat(token, ".");
	token_append(token, claims, strlen(claims));
}

static inline void token_hs256(char *token, const char *header, const char *claims,
			       const void *secret, size_t secret_len)
{
	unsigned char mac[32];
	unsigned len = sizeof(mac);

	token_begin(token, header, claims);
	HMAC(EVP_sha256(), secret, (int)secret_len, (unsigned char *)token, strlen(token), mac,
	     &len);
	strcat(token, ".");
	token_append(token, mac, len);
}

/* r and s of a DER signature, 32 bytes each. */
static inline size_t token_raw_ecdsa(unsigned char *signature, size_t len)
{
	const unsigned char *at = signature;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);

	ck_assert_ptr_nonnull(sig);
	ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, 32), 32);
	ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + 32, 32), 32);
	ECDSA_SIG_free(sig);
	return 64;
}

/* With an RSA or an EC key and that digest; pss: with the padding of PS256. */
static inline void token_signed_by(char *token, const char *header, const char *claims,
				   EVP_PKEY *key, const EVP_MD *digest, bool pss)
{
	EVP_PKEY_CTX *how;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = sizeof(signature);

	token_begin(token, header, claims);
	ck_assert_int_eq(EVP_DigestSignInit(context, &how, digest, NULL, key), 1);
	if (pss) {
		EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST);
	}
	ck_assert_int_eq(
		EVP_DigestSign(context, signature, &len, (unsigned char *)token, strlen(token)), 1);
	EVP_MD_CTX_free(context);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		len = token_raw_ecdsa(signature, len);
	strcat(token, ".");
	token_append(token, signature, len);
}

/* RS256 or ES256, as the key is. */
static inline void token_signed(char *token, const char *header, const char *claims, EVP_PKEY *key)
{
	token_signed_by(token, header, claims, key, EVP_sha256(), false);
}

/* Writes the public half, as PEM, to a new file whose name goes to path[64]; returns its bytes in
 * pem[4096]. */
static inline void token_public_pem(EVP_PKEY *key, char *path, char *pem)
{
	BIO *memory = BIO_new(BIO_s_mem());

	PEM_write_bio_PUBKEY(memory, key);
	int len = BIO_read(memory, pem, 4095);
	ck_assert_int_gt(len, 0);
	pem[len] = '\0';
	BIO_free(memory);
	strcpy(path, "/tmp/tidings-key.XXXXXX");
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(pem, 1, (size_t)len, file), (size_t)len);
	fclose(file);
}

#endif
