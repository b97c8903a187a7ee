/* test_wire: a connection behaves the same plain and under TLS; what TLS says to itself is neither
 * data nor an end. The server is OpenSSL, at the other end of a socketpair. */
#include "common/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tls.h"
#include "tests/unit/run.h"

/* Both ends of one connection; the certificate is for `redis.example` and 127.0.0.1. */
struct pair {
	struct wire wire;
	int fd;   /* of the server */
	SSL *ssl; /* likewise; NULL: plain */
	SSL_CTX *ctx;
	struct tls_context *tls;
	char ca[64]; /* path of its certificate */
	char *text;  /* 1 MiB of it */
};

#define TEXT_BYTES ((size_t)1024 * 1024)

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ck_assert_ptr_nonnull(extension);
	ck_assert_int_eq(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* Signed by itself, good from an hour ago for so many seconds. */
static void make_certificate(SSL_CTX *ctx, long seconds, const char *path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *file = fopen(path, "w");
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), seconds - 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"redis.example",
				   -1, -1, 0);
	X509_set_issuer_name(cert, name);
	add_extension(cert, NID_subject_alt_name, "DNS:redis.example,IP:127.0.0.1");
	ck_assert_int_gt(X509_sign(cert, key, EVP_sha256()), 0);
	ck_assert_int_eq(SSL_CTX_use_certificate(ctx, cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(ctx, key), 1);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_X509(file, cert), 1);
	fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void set_up_plain(struct pair *p)
{
	int fds[2], small = 4096;

	signal(SIGPIPE, SIG_IGN); /* as both programs do */
	*p = (struct pair){.fd = -1};
	wire_init(&p->wire);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	for (int i = 0; i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	p->wire.fd = fds[0];
	p->fd = fds[1];
	p->text = malloc(TEXT_BYTES);
	for (size_t i = 0; i < TEXT_BYTES; i++)
		p->text[i] = (char)('a' + i % 23);
}

static void set_up_server(struct pair *p, long seconds)
{
	set_up_plain(p);
	p->ctx = SSL_CTX_new(TLS_server_method());
	snprintf(p->ca, sizeof(p->ca), "/tmp/test_wire.%d.pem", (int)getpid());
	make_certificate(p->ctx, seconds, p->ca);
	SSL_CTX_set_mode(p->ctx,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	p->ssl = SSL_new(p->ctx);
	SSL_set_fd(p->ssl, p->fd);
	SSL_set_accept_state(p->ssl);
}

static void set_up_client(struct pair *p, const char *ca, bool verify, const char *host)
{
	char error[256];

	p->tls = tls_context_new(ca, verify, error, sizeof(error));
	ck_assert_msg(p->tls != NULL, "%s", error);
	ck_assert_int_eq(wire_begin_tls(&p->wire, p->tls, host), 0);
}

/* Turn by turn, as two loops would; the client's last status. */
static enum io_status shake_hands(struct pair *p)
{
	enum io_status status = IO_WANT_READ;

	for (int i = 0; i < 100 && status != IO_FAILED; i++) {
		status = wire_handshake(&p->wire);
		if (SSL_do_handshake(p->ssl) == 1 && status == IO_OK)
			break;
	}
	return status;
}

static void set_up(struct pair *p, bool tls)
{
	if (!tls) {
		set_up_plain(p);
		return;
	}
	set_up_server(p, 86400);
	set_up_client(p, p->ca, true, "redis.example");
	ck_assert_int_eq(shake_hands(p), IO_OK);
}

static void tear_down(struct pair *p)
{
	wire_close(&p->wire);
	tls_context_free(p->tls);
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	close(p->fd);
	free(p->text);
	if (*p->ca)
		unlink(p->ca);
}

static long server_write(struct pair *p, const char *bytes, size_t n)
{
	return p->ssl ? SSL_write(p->ssl, bytes, (int)n) : write(p->fd, bytes, n);
}

static long server_read(struct pair *p, char *bytes, size_t n)
{
	return p->ssl ? SSL_read(p->ssl, bytes, (int)n) : read(p->fd, bytes, n);
}

static bool readable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) == 1;
}

START_TEST(what_is_said_arrives)
{
	struct pair p;
	char bytes[16];
	size_t n;

	set_up(&p, _i);
	ck_assert_int_eq(wire_read(&p.wire, bytes, sizeof(bytes), &n), IO_WANT_READ);
	ck_assert_int_eq(wire_write(&p.wire, "PING", 4, &n), IO_OK);
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(server_read(&p, bytes, sizeof(bytes)), 4);
	ck_assert_int_eq(server_write(&p, "+PONG", 5), 5);
	ck_assert_int_eq(wire_read(&p.wire, bytes, sizeof(bytes), &n), IO_OK);
	ck_assert_uint_eq(n, 5);
	ck_assert_int_eq(memcmp(bytes, "+PONG", 5), 0);
	tear_down(&p);
}
END_TEST

/* The writer's buffer moves from try to try, as one that grows does. */
START_TEST(a_long_write_goes_in_pieces)
{
	struct pair p;
	char *got = malloc(TEXT_BYTES), *copy = NULL;
	size_t sent = 0, received = 0, waited = 0;

	set_up(&p, _i);
	while (received < TEXT_BYTES) {
		size_t n;
		enum io_status status = IO_WANT_WRITE;

		free(copy);
		copy = malloc(TEXT_BYTES - sent + 1);
		memcpy(copy, p.text + sent, TEXT_BYTES - sent);
		while (sent < TEXT_BYTES &&
		       (status = wire_write(&p.wire, copy, TEXT_BYTES - sent, &n)) == IO_OK) {
			sent += n;
			memmove(copy, copy + n, TEXT_BYTES - sent);
		}
		ck_assert_int_ne(status, IO_FAILED);
		waited += status == IO_WANT_WRITE;
		for (;;) {
			long more = server_read(&p, got + received, TEXT_BYTES - received);
			if (more <= 0)
				break;
			received += (size_t)more;
		}
	}
	ck_assert_uint_gt(waited, 10);
	ck_assert_int_eq(memcmp(got, p.text, TEXT_BYTES), 0);
	free(copy);
	free(got);
	tear_down(&p);
}
END_TEST

START_TEST(what_a_record_still_holds_is_pending_though_no_poll_tells)
{
	struct pair p;
	char bytes[1000];
	size_t n;

	set_up(&p, true);
	ck_assert_int_eq(server_write(&p, p.text, 1000), 1000);
	ck_assert_int_eq(wire_read(&p.wire, bytes, 10, &n), IO_OK);
	ck_assert(wire_pending(&p.wire));
	ck_assert(!readable(p.wire.fd));
	ck_assert(!wire_quiet(&p.wire));
	tear_down(&p);
}
END_TEST

START_TEST(an_end_is_told)
{
	struct pair p;
	char byte;
	size_t n;

	set_up(&p, _i > 0);
	if (_i == 2)
		SSL_shutdown(p.ssl);
	shutdown(p.fd, SHUT_WR);
	ck_assert(!wire_quiet(&p.wire));
	ck_assert_int_eq(wire_read(&p.wire, &byte, 1, &n), IO_CLOSED);
	tear_down(&p);
}
END_TEST

START_TEST(an_idle_connection_is_quiet)
{
	struct pair p;

	set_up(&p, _i);
	ck_assert(wire_quiet(&p.wire));
	ck_assert(wire_quiet(&p.wire));
	ck_assert_int_eq(server_write(&p, "x", 1), 1);
	ck_assert(!wire_quiet(&p.wire));
	tear_down(&p);
}
END_TEST

START_TEST(tickets_and_new_keys_on_an_idle_connection_are_no_data)
{
	struct pair p;
	char bytes[8];
	size_t n;

	set_up(&p, true);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(SSL_new_session_ticket(p.ssl), 1);
		ck_assert_int_eq(SSL_do_handshake(p.ssl), 1);
		ck_assert_int_eq(SSL_key_update(p.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		ck_assert_int_eq(SSL_do_handshake(p.ssl), 1);
		ck_assert(readable(p.wire.fd));
		ck_assert(wire_quiet(&p.wire));
		ck_assert(!readable(p.wire.fd));
		ck_assert_int_eq(wire_write(&p.wire, "PING", 4, &n), IO_OK);
		ck_assert_int_eq(SSL_read(p.ssl, bytes, sizeof(bytes)), 4);
	}
	tear_down(&p);
}
END_TEST

START_TEST(the_server_is_told_goodbye)
{
	struct pair p;
	char byte;

	set_up(&p, true);
	wire_close(&p.wire);
	ck_assert_int_eq(SSL_read(p.ssl, &byte, 1), 0);
	ck_assert_int_eq(SSL_get_error(p.ssl, 0), SSL_ERROR_ZERO_RETURN);
	tear_down(&p);
}
END_TEST

START_TEST(hosts_are_told_apart)
{
	static const struct {
		const char *host, *why; /* NULL: good */
	} cases[] = {
		{"redis.example", NULL},
		{"REDIS.example.", NULL},
		{"127.0.0.1", NULL},
		{"other.example", "is not for the name other.example"},
		{"a.redis.example", "is not for the name a.redis.example"},
		{"example", "is not for the name example"},
		{"127.0.0.2", "is not for the address 127.0.0.2"},
		{"::1", "is not for the address ::1"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pair p;
		enum io_status expected = cases[i].why ? IO_FAILED : IO_OK;

		set_up_server(&p, 86400);
		set_up_client(&p, p.ca, true, cases[i].host);
		ck_assert_int_eq(shake_hands(&p), expected);
		if (cases[i].why)
			ck_assert_msg(strstr(wire_why(&p.wire), cases[i].why) != NULL, "%s",
				      wire_why(&p.wire));
		tear_down(&p);
	}
}
END_TEST

START_TEST(names_are_told_to_the_server_and_addresses_are_not)
{
	static const struct {
		const char *host, *told;
	} cases[] = {{"redis.example.", "redis.example"}, {"127.0.0.1", NULL}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct pair p;

		set_up_server(&p, 86400);
		set_up_client(&p, p.ca, true, cases[i].host);
		ck_assert_int_eq(shake_hands(&p), IO_OK);
		ck_assert_pstr_eq(SSL_get_servername(p.ssl, TLSEXT_NAMETYPE_host_name),
				  cases[i].told);
		tear_down(&p);
	}
}
END_TEST

START_TEST(a_certificate_past_its_time_is_refused_unless_nothing_is_checked)
{
	for (int verify = 0; verify < 2; verify++) {
		struct pair p;

		set_up_server(&p, 60);
		set_up_client(&p, p.ca, verify, verify ? "redis.example" : "other.example");
		ck_assert_int_eq(shake_hands(&p), verify ? IO_FAILED : IO_OK);
		if (verify)
			ck_assert_ptr_nonnull(strstr(wire_why(&p.wire), "has expired"));
		tear_down(&p);
	}
}
END_TEST

START_TEST(who_does_not_speak_tls_is_told)
{
	struct pair p;

	set_up_server(&p, 86400);
	set_up_client(&p, p.ca, true, "redis.example");
	ck_assert_int_eq(wire_handshake(&p.wire), IO_WANT_READ);
	ck_assert_int_eq(write(p.fd, "-ERR unknown command\r\n", 22), 22);
	ck_assert_int_eq(wire_handshake(&p.wire), IO_FAILED);
	ck_assert_ptr_nonnull(strstr(wire_why(&p.wire), "plain port"));
	tear_down(&p);
}
END_TEST

START_TEST(an_end_in_the_handshake_is_a_failure_with_words)
{
	struct pair p;

	set_up_server(&p, 86400);
	set_up_client(&p, p.ca, true, "redis.example");
	ck_assert_int_eq(wire_handshake(&p.wire), IO_WANT_READ);
	shutdown(p.fd, SHUT_WR);
	ck_assert_int_eq(wire_handshake(&p.wire), IO_FAILED);
	ck_assert_ptr_nonnull(strstr(wire_why(&p.wire), "closed the connection in the handshake"));
	tear_down(&p);
}
END_TEST

START_TEST(an_old_version_of_tls_is_refused)
{
	struct pair p;

	set_up_server(&p, 86400);
	SSL_set_security_level(p.ssl, 0);
	SSL_set_max_proto_version(p.ssl, TLS1_1_VERSION);
	set_up_client(&p, p.ca, false, "redis.example");
	ck_assert_int_eq(shake_hands(&p), IO_FAILED);
	ck_assert_int_eq(strncmp(wire_why(&p.wire), "TLS: ", 5), 0);
	tear_down(&p);
}
END_TEST

START_TEST(whom_to_trust_must_be_readable)
{
	char error[256] = "", path[64];

	ck_assert_ptr_null(tls_context_new("/nowhere/ca.pem", true, error, sizeof(error)));
	ck_assert_str_eq(error, "/nowhere/ca.pem: No such file or directory");
	snprintf(path, sizeof(path), "/tmp/test_wire.%d.empty", (int)getpid());
	close(open(path, O_CREAT | O_WRONLY, 0600));
	ck_assert_ptr_null(tls_context_new(path, true, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, "no certificates can be read there"));
	unlink(path);
	struct tls_context *t = tls_context_new("system", true, error, sizeof(error));
	ck_assert_ptr_nonnull(t);
	tls_context_free(t);
	tls_context_free(NULL);
}
END_TEST

START_TEST(a_path_that_no_socket_can_have_is_refused)
{
	struct wire w;
	char path[200];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	wire_init(&w);
	ck_assert_int_eq(wire_connect_path(&w, path), -ENAMETOOLONG);
	ck_assert_int_eq(w.fd, -1);
	ck_assert_int_eq(wire_connect_path(&w, "/nowhere/s"), -ENOENT);
	ck_assert_int_eq(w.fd, -1);
	wire_close(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *all = tcase_create("all");
	SRunner *runner = srunner_create(suite);

	tcase_set_timeout(all, 120);
	/* plain and under TLS; an end there with goodbye, too */
	tcase_add_loop_test(all, what_is_said_arrives, 0, 2);
	tcase_add_loop_test(all, a_long_write_goes_in_pieces, 0, 2);
	tcase_add_loop_test(all, an_idle_connection_is_quiet, 0, 2);
	tcase_add_loop_test(all, an_end_is_told, 0, 3);
	tcase_add_test(all, what_a_record_still_holds_is_pending_though_no_poll_tells);
	tcase_add_test(all, tickets_and_new_keys_on_an_idle_connection_are_no_data);
	tcase_add_test(all, the_server_is_told_goodbye);
	tcase_add_test(all, hosts_are_told_apart);
	tcase_add_test(all, names_are_told_to_the_server_and_addresses_are_not);
	tcase_add_test(all, a_certificate_past_its_time_is_refused_unless_nothing_is_checked);
	tcase_add_test(all, who_does_not_speak_tls_is_told);
	tcase_add_test(all, an_end_in_the_handshake_is_a_failure_with_words);
	tcase_add_test(all, an_old_version_of_tls_is_refused);
	tcase_add_test(all, whom_to_trust_must_be_readable);
	tcase_add_test(all, a_path_that_no_socket_can_have_is_refused);
	suite_add_tcase(suite, all);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
