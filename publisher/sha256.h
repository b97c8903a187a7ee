/* sha256: the digest by which tokens are compared and requests told apart. */
#ifndef TIDINGS_PUBLISHER_SHA256_H
#define TIDINGS_PUBLISHER_SHA256_H

#include <stdint.h>
#include "common/span.h"

#define SHA256_BYTES     32
#define SHA256_HEX_BYTES 64

/* The digest of head, a NUL and tail, or of head alone when tail is absent. Returns 0 or -ENOMEM.
 */
int sha256(struct span head, struct span tail, uint8_t out[SHA256_BYTES]);

/* 64 small hexadecimal digits and a NUL; out[SHA256_HEX_BYTES + 1]. */
void sha256_format(const uint8_t digest[SHA256_BYTES], char *out);

/* Reads 64 hexadecimal digits. Returns 0 or -EINVAL. */
int sha256_parse(struct span hex, uint8_t out[SHA256_BYTES]);

#endif
