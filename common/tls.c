/* tls: see tls.h. Owns OpenSSL's context and one SSL a session; turns OpenSSL's many errors into a
 * few outcomes, and the reasons into words that say what to look at. Sockets, polls and time limits
 * are its callers'. */
#include "common/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HOST_BYTES 256
#define WHY_BYTES  512

struct tls_context {
	SSL_CTX *ctx;
};

struct tls_session {
	SSL *ssl;
	bool open; /* through the handshake, and nothing went wrong since */
	char host[HOST_BYTES];
	char why[WHY_BYTES];
};

/* ---- whom to trust ---- */

static const char *openssl_words(void)
{
	const char *words = ERR_reason_error_string(ERR_peek_last_error());

	return words ? words : "OpenSSL does not say why";
}

static bool trust(SSL_CTX *ctx, const char *ca, char *error, size_t size)
{
	struct stat st;
	int good;

	if (strcmp(ca, "system") == 0) {
		good = SSL_CTX_set_default_verify_paths(ctx);
	} else if (stat(ca, &st) < 0) {
		snprintf(error, size, "%.300s: %s", ca, strerror(errno));
		return false;
	} else {
		good = S_ISDIR(st.st_mode) ? SSL_CTX_load_verify_dir(ctx, ca)
					   : SSL_CTX_load_verify_file(ctx, ca);
		/* who names an authority below a root means that one, not the root */
		X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	}
	if (!good)
		snprintf(error, size, "%.300s: no certificates can be read there: %s", ca,
			 openssl_words());
	return good;
}

/* Renegotiation would make a write wait for a read; ciphers are left to the system's policy. */
static bool make(SSL_CTX *ctx, const char *ca, bool verify, char *error, size_t size)
{
	if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION)) {
		snprintf(error, size, "this OpenSSL has no TLS 1.2");
		return false;
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ctx, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	return !verify || trust(ctx, ca, error, size);
}

struct tls_context *tls_context_new(const char *ca, bool verify, char *error, size_t size)
{
	struct tls_context *t = calloc(1, sizeof(*t));

	ERR_clear_error();
	snprintf(error, size, "out of memory");
	if (t)
		t->ctx = SSL_CTX_new(TLS_client_method());
	if (!t || !t->ctx || !make(t->ctx, ca, verify, error, size)) {
		tls_context_free(t);
		t = NULL;
	}
	ERR_clear_error();
	return t;
}

void tls_context_free(struct tls_context *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

/* ---- the life of a session ---- */

static bool is_address(const char *host)
{
	unsigned char ignored[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, ignored) == 1 || inet_pton(AF_INET6, host, ignored) == 1;
}

/* Certificates and SNI have names without the dot that may end them. */
static bool expect_host(struct tls_session *s, const char *host)
{
	size_t len = strlen(host);

	if (len > 1 && host[len - 1] == '.')
		len--;
	if (len >= sizeof(s->host))
		return false;
	memcpy(s->host, host, len);
	s->host[len] = '\0';
	if (is_address(s->host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s->ssl), s->host);
	SSL_set_hostflags(s->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(s->ssl, s->host) && SSL_set_tlsext_host_name(s->ssl, s->host);
}

struct tls_session *tls_session_new(const struct tls_context *t, int fd, const char *host)
{
	struct tls_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ssl = SSL_new(t->ctx);
	if (s->ssl && SSL_set_fd(s->ssl, fd) && expect_host(s, host)) {
		SSL_set_connect_state(s->ssl);
		return s;
	}
	ERR_clear_error();
	tls_session_free(s);
	return NULL;
}

void tls_session_free(struct tls_session *s)
{
	if (!s)
		return;
	if (s->open) {
		ERR_clear_error();
		SSL_shutdown(s->ssl);
		ERR_clear_error();
	}
	SSL_free(s->ssl);
	free(s);
}

/* ---- what happened ---- */

static void explain_certificate(struct tls_session *s, long result)
{
	const char *words = X509_verify_cert_error_string(result);

	switch (result) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
		snprintf(s->why, sizeof(s->why), "TLS: the certificate is not for the name %s",
			 s->host);
		break;
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		snprintf(s->why, sizeof(s->why), "TLS: the certificate is not for the address %s",
			 s->host);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		snprintf(s->why, sizeof(s->why),
			 "TLS: the certificate is signed by no authority of redis_tls_ca (%s)",
			 words);
		break;
	default: snprintf(s->why, sizeof(s->why), "TLS: the certificate is refused: %s", words);
	}
}

static void explain(struct tls_session *s)
{
	unsigned long error = ERR_peek_error();
	int reason = ERR_GET_REASON(error);
	long result = SSL_get_verify_result(s->ssl);

	if (ERR_GET_LIB(error) == ERR_LIB_SYS)
		snprintf(s->why, sizeof(s->why), "TLS: %s", strerror(reason));
	else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && result != X509_V_OK)
		explain_certificate(s, result);
	else if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST)
		snprintf(s->why, sizeof(s->why),
			 "TLS: the answer is not TLS; is this Redis's plain port?");
	else if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)
		snprintf(s->why, sizeof(s->why),
			 "TLS: Redis demands a certificate of us; tls-auth-clients must be "
			 "optional or no");
	else
		snprintf(s->why, sizeof(s->why), "TLS: %s", openssl_words());
}

/* What follows a call of OpenSSL that did not succeed. errno is of that call. */
static enum io_status outcome(struct tls_session *s, int rc)
{
	int error = errno;

	switch (SSL_get_error(s->ssl, rc)) {
	case SSL_ERROR_WANT_READ: return IO_WANT_READ;
	case SSL_ERROR_WANT_WRITE: return IO_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN: s->open = false; return IO_CLOSED;
	case SSL_ERROR_SYSCALL:
		s->open = false;
		if (error == 0 || error == ECONNRESET || error == EPIPE)
			return IO_CLOSED;
		snprintf(s->why, sizeof(s->why), "%s", strerror(error));
		return IO_FAILED;
	default: break;
	}
	s->open = false;
	if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return IO_CLOSED;
	explain(s);
	return IO_FAILED;
}

static void begin_call(void)
{
	ERR_clear_error();
	errno = 0;
}

static enum io_status end_call(struct tls_session *s, int rc)
{
	enum io_status status = rc == 1 ? IO_OK : outcome(s, rc);

	ERR_clear_error(); /* libcurl lives in the same thread */
	return status;
}

enum io_status tls_session_handshake(struct tls_session *s)
{
	begin_call();
	enum io_status status = end_call(s, SSL_do_handshake(s->ssl));

	if (status == IO_OK)
		s->open = true;
	if (status != IO_CLOSED)
		return status;
	snprintf(s->why, sizeof(s->why), "TLS: Redis closed the connection in the handshake");
	return IO_FAILED;
}

enum io_status tls_session_read(struct tls_session *s, void *bytes, size_t size, size_t *n)
{
	begin_call();
	return end_call(s, SSL_read_ex(s->ssl, bytes, size, n));
}

enum io_status tls_session_write(struct tls_session *s, const void *bytes, size_t size, size_t *n)
{
	begin_call();
	return end_call(s, SSL_write_ex(s->ssl, bytes, size, n));
}

bool tls_session_pending(const struct tls_session *s)
{
	return SSL_pending(s->ssl) > 0;
}

const char *tls_session_why(const struct tls_session *s)
{
	return s->why;
}
