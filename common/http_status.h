/* http_status: the reason phrases of the HTTP statuses that we answer with (RFC 9110 section 15).
 */
#ifndef TIDINGS_COMMON_HTTP_STATUS_H
#define TIDINGS_COMMON_HTTP_STATUS_H

/* Static words, never NULL. */
const char *http_status_reason(unsigned status);

#endif
