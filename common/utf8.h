/* utf8: strict validity (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF). */
#ifndef TIDINGS_COMMON_UTF8_H
#define TIDINGS_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length 1..4 of the valid sequence that bytes begins with, 0 when there is none (len 0 included).
 */
size_t utf8_sequence(const char *bytes, size_t len);

bool utf8_valid(const char *bytes, size_t len);

/* True when there is a control character: U+0000..U+001F, U+007F, or U+0080..U+009F. bytes is valid
 * UTF-8. */
bool utf8_has_control(const char *bytes, size_t len);

/* Writes a scalar value (no surrogate, <= U+10FFFF) as UTF-8 to out[4]; returns its length 1..4. */
size_t utf8_encode(uint32_t scalar, char *out);

#endif
