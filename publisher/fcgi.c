/* fcgi: see fcgi.h. The only file that knows libfcgi. The listening socket is waited for together
 * with the signals that ask the process to stop, and is non-blocking: a connection that a sibling
 * process takes first, or a signal just before accept, can't leave this one waiting. Signals stay
 * blocked otherwise, so that a request under way is finished. */
#include "publisher/fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/num.h"
#include "publisher/exchange.h"
#include "publisher/tokens_file.h"

#define LISTENING_FD 0     /* where FastCGI hands it over */
#define SHORTAGE_MS  100   /* wait before accept is tried again */
#define DRAIN_MS     2000  /* wait for more of a body that nobody wants */
#define DRAIN_READS  65536 /* pieces of it that are taken at most: up to 1 GiB */

static const char *variable(char *const *envp, const char *name)
{
	size_t len = strlen(name);

	for (; *envp; envp++) {
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	}
	return NULL;
}

enum fcgi_mode fcgi_mode(char *const *envp)
{
	if (!FCGX_IsCGI())
		return FCGI_MODE_FASTCGI;
	return variable(envp, "REQUEST_METHOD") ? FCGI_MODE_CGI : FCGI_MODE_NONE;
}

static int serve(const struct fcgi_service *service, const struct exchange *x)
{
	const struct access_tokens *tokens =
		service->tokens ? tokens_file_current(service->tokens) : NULL;

	return exchange_serve(x, service->config, tokens, service->log);
}

/* ---- FastCGI ---- */

static const char *fcgi_param(void *ctx, const char *name)
{
	FCGX_Request *request = ctx;

	return FCGX_GetParam(name, request->envp);
}

static long fcgi_read(void *ctx, char *bytes, size_t size)
{
	FCGX_Request *request = ctx;
	int n = FCGX_GetStr(bytes, (int)size, request->in);

	return FCGX_GetError(request->in) ? -EIO : n;
}

static int fcgi_write(void *ctx, const char *bytes, size_t len)
{
	FCGX_Request *request = ctx;

	return FCGX_PutStr(bytes, (int)len, request->out) == (int)len ? 0 : -EPIPE;
}

static void serve_accepted(const struct fcgi_service *service, FCGX_Request *request)
{
	struct exchange x = {
		.ctx = request, .param = fcgi_param, .read = fcgi_read, .write = fcgi_write};

	if (serve(service, &x) < 0)
		log_debug("the web server did not wait for the answer");
	FCGX_Finish_r(request);
}

/* Somebody else took the connection, or it is gone. */
static bool nothing_to_accept(int error)
{
	return error == EAGAIN || error == EINTR || error == ECONNABORTED || error == EPROTO;
}

static bool short_of_something(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static int serve_until_stopped(const struct fcgi_service *service, int signals)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = LISTENING_FD, .events = POLLIN}};
	FCGX_Request request;
	int rc = FCGX_InitRequest(&request, LISTENING_FD, FCGI_FAIL_ACCEPT_ON_INTR);

	if (rc != 0)
		return -EIO;
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents)
			return 0;
		if (!fds[1].revents)
			continue;
		rc = FCGX_Accept_r(&request);
		if (rc == 0)
			serve_accepted(service, &request);
		else if (short_of_something(-rc))
			poll(fds, 1, SHORTAGE_MS);
		else if (!nothing_to_accept(-rc))
			return rc > -4096 ? rc : -EIO;
	}
}

int fcgi_serve(const struct fcgi_service *service)
{
	sigset_t stop;
	int signals, flags, rc;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &stop, NULL) < 0)
		return -errno;
	signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return -errno;
	flags = fcntl(LISTENING_FD, F_GETFL);
	if (flags < 0 || fcntl(LISTENING_FD, F_SETFL, flags | O_NONBLOCK) < 0)
		rc = -errno;
	else
		rc = serve_until_stopped(service, signals);
	close(signals);
	return rc;
}

/* ---- plain CGI ---- */

struct cgi {
	char *const *envp;
	uint64_t taken; /* bytes of the body */
	bool ended;     /* its end was seen */
};

static const char *cgi_param(void *ctx, const char *name)
{
	const struct cgi *cgi = ctx;

	return variable(cgi->envp, name);
}

static long cgi_read(void *ctx, char *bytes, size_t size)
{
	struct cgi *cgi = ctx;
	ssize_t n;

	do
		n = read(STDIN_FILENO, bytes, size);
	while (n < 0 && errno == EINTR);
	cgi->ended = n <= 0;
	if (n < 0)
		return -errno;
	cgi->taken += (uint64_t)n;
	return n;
}

static int cgi_write(void *ctx, const char *bytes, size_t len)
{
	(void)ctx;
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool body_is_left(const struct cgi *cgi)
{
	const char *length = variable(cgi->envp, "CONTENT_LENGTH");
	const char *method = variable(cgi->envp, "REQUEST_METHOD");
	uint64_t bytes;

	if (cgi->ended)
		return false;
	if (!length || *length == '\0')
		return method && strcmp(method, "POST") == 0; /* chunked */
	return num_parse_u64(length, strlen(length), 0, UINT64_MAX, &bytes) < 0 ||
	       cgi->taken < bytes;
}

/* Takes what is left of a body that was refused unread. Under Apache's mod_cgid stdin and stdout
 * are one socket: closed with bytes unread in it, the answer would be lost with them. libfcgi does
 * the same for FastCGI. */
static void drain_stdin(void)
{
	struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
	char trash[16384];

	shutdown(STDOUT_FILENO, SHUT_WR);
	close(STDOUT_FILENO);
	for (int i = 0; i < DRAIN_READS && poll(&fd, 1, DRAIN_MS) > 0; i++) {
		if (read(STDIN_FILENO, trash, sizeof(trash)) <= 0)
			return;
	}
}

int fcgi_serve_cgi(const struct fcgi_service *service, char *const *envp)
{
	struct cgi cgi = {.envp = envp};
	struct exchange x = {.ctx = &cgi, .param = cgi_param, .read = cgi_read, .write = cgi_write};
	int rc = serve(service, &x);

	if (rc == 0 && body_is_left(&cgi))
		drain_stdin();
	return rc;
}
