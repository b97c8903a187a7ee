/* sha256: see sha256.h. libcrypto does the work; its only failure is memory. */
#include "publisher/sha256.h"

#include <errno.h>
#include <openssl/evp.h>

int sha256(struct span head, struct span tail, uint8_t out[SHA256_BYTES])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(md, head.at, head.len) == 1;

	if (good && tail.at)
		good = EVP_DigestUpdate(md, "", 1) == 1 &&
		       EVP_DigestUpdate(md, tail.at, tail.len) == 1;
	good = good && EVP_DigestFinal_ex(md, out, NULL) == 1;
	EVP_MD_CTX_free(md);
	return good ? 0 : -ENOMEM;
}

void sha256_format(const uint8_t digest[SHA256_BYTES], char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_BYTES; i++) {
		*out++ = digits[digest[i] >> 4];
		*out++ = digits[digest[i] & 15];
	}
	*out = '\0';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int sha256_parse(struct span hex, uint8_t out[SHA256_BYTES])
{
	uint8_t parsed[SHA256_BYTES];

	if (hex.len != SHA256_HEX_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int high = digit_value(hex.at[2 * i]), low = digit_value(hex.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		parsed[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(out, parsed, SHA256_BYTES);
	return 0;
}
