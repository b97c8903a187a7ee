/* num: a whole text becomes a number, or it does not; nothing is guessed, skipped or wrapped. */
#ifndef TIDINGS_COMMON_NUM_H
#define TIDINGS_COMMON_NUM_H

#include <stddef.h>
#include <stdint.h>

/* Decimal digits only: no sign, blank, or empty text; leading zeros are fine. *out is written on
 * success alone. Returns 0, -EINVAL when text is not such a number, -ERANGE when it is outside
 * min..max. */
int num_parse_u64(const char *text, size_t len, uint64_t min, uint64_t max, uint64_t *out);

/* The longest decimal uint64_t without its NUL. */
#define NUM_U64_DIGITS 20

/* Writes v in decimal, no NUL; out holds NUM_U64_DIGITS bytes. Returns the length. */
size_t num_format_u64(uint64_t v, char *out);

#endif
