/* tls: TLS towards Redis, by OpenSSL. A context holds whom to trust and is made once; a session is
 * one connection's, over a non-blocking socket that somebody else owns, polls and closes. Nothing
 * in here waits, and nothing falls back to plain text. */
#ifndef TIDINGS_COMMON_TLS_H
#define TIDINGS_COMMON_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include "common/io_status.h"

struct tls_context;
struct tls_session;

/* TLS 1.2 or newer. ca: "system", or the path of a file or folder of certificates (PEM; a folder as
 * c_rehash makes it), each of which is trusted as an authority. Without verify whoever answers is
 * believed. NULL with words for people in error[size]. Borrows nothing. */
struct tls_context *tls_context_new(const char *ca, bool verify, char *error, size_t size);

/* After the last of its sessions. NULL is fine. */
void tls_context_free(struct tls_context *t);

/* A session over fd, which stays the caller's. host, a name or an address without brackets, is what
 * the certificate must be for; a name is told to the server, too (SNI). Nothing is sent yet. NULL
 * when out of memory. */
struct tls_session *tls_session_new(const struct tls_context *t, int fd, const char *host);

/* Says goodbye to the other side, if that is possible at once. NULL is fine. */
void tls_session_free(struct tls_session *s);

/* Goes on with the handshake; IO_OK when it is through and the certificate was found good. Never
 * IO_CLOSED: there are words for that, too. */
enum io_status tls_session_handshake(struct tls_session *s);

/* Up to size bytes; *n, at least 1, is given on IO_OK alone. */
enum io_status tls_session_read(struct tls_session *s, void *bytes, size_t size, size_t *n);

/* Writes what fits, at least one byte on IO_OK. After IO_WANT_… the same bytes, perhaps more of
 * them, perhaps elsewhere in memory, must be written next. */
enum io_status tls_session_write(struct tls_session *s, const void *bytes, size_t size, size_t *n);

/* Bytes that can be read without the socket: no poll tells of them. */
bool tls_session_pending(const struct tls_session *s);

/* After IO_FAILED: what happened, in words; good for the session's life. */
const char *tls_session_why(const struct tls_session *s);

#endif
