/* hop: asks one page again and again, over HTTP from a web server or over FastCGI from php-fpm
 * itself: a fixed number of calls under way at any time, each answered by 204. One thread, one poll
 * loop, one request made beforehand, so that it costs little beside what it measures.
 *
 *   hop http HOST:PORT|SOCKET PATH UNDER_WAY SECONDS      connections are kept
 *   hop fcgi SOCKET SCRIPT UNDER_WAY SECONDS              a connection a call
 *   hop fcgi-kept SOCKET SCRIPT UNDER_WAY SECONDS         connections are kept
 *
 * Prints one line of JSON; exit 1 when an answer was another. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bench/address.h"
#include "bench/histogram.h"
#include "common/buf.h"
#include "common/num.h"

enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5 };

#define HEADER_BYTES  8
#define REQUEST_MAX   8192
#define UNDER_WAY_MAX 256

struct hop {
	struct sockaddr_storage address;
	socklen_t address_len;
	bool fcgi, kept;
	struct buf request;
	double end;
	uint64_t ok, other;
	struct histogram times; /* µs */
};

struct slot {
	int fd;
	double begun;
	size_t len;
	char answer[65536];
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the request ---- */

static int add_record(struct buf *b, int kind, const char *content, size_t len)
{
	unsigned char header[HEADER_BYTES] = {1, (unsigned char)kind,       0,
					      1, (unsigned char)(len >> 8), (unsigned char)len};

	return buf_append(b, header, sizeof(header)) | buf_append(b, content, len);
}

static int add_param(struct buf *b, const char *name, const char *value)
{
	return buf_append_char(b, (char)strlen(name)) | buf_append_char(b, (char)strlen(value)) |
	       buf_append_str(b, name) | buf_append_str(b, value);
}

/* What auth_http.c sends, as the web server would pass it on. */
static int make_fcgi(struct hop *h, const char *script)
{
	const char begin[] = {0, 1, h->kept, 0, 0, 0, 0, 0}; /* a responder */
	struct buf params;
	int err = 0;

	buf_init(&params, REQUEST_MAX);
	err |= add_param(&params, "SCRIPT_FILENAME", script);
	err |= add_param(&params, "SCRIPT_NAME", "/auth.php");
	err |= add_param(&params, "REQUEST_URI", "/auth.php?topic=news");
	err |= add_param(&params, "QUERY_STRING", "topic=news");
	err |= add_param(&params, "REQUEST_METHOD", "GET");
	err |= add_param(&params, "SERVER_PROTOCOL", "HTTP/1.1");
	err |= add_param(&params, "GATEWAY_INTERFACE", "CGI/1.1");
	err |= add_param(&params, "REMOTE_ADDR", "127.0.0.1");
	err |= add_param(&params, "HTTP_COOKIE", "PHPSESSID=0123456789abcdefghijklmnop");
	err |= add_param(&params, "HTTP_X_SSE_TOPIC", "news");
	err |= add_param(&params, "HTTP_X_ORIGINAL_URI", "/events?topic=news");
	err |= add_param(&params, "HTTP_X_ORIGINAL_METHOD", "GET");
	err |= add_record(&h->request, BEGIN_REQUEST, begin, sizeof(begin));
	err |= add_record(&h->request, PARAMS, params.data, params.len);
	err |= add_record(&h->request, PARAMS, "", 0);
	err |= add_record(&h->request, STDIN, "", 0);
	buf_done(&params);
	return err;
}

static int make_http(struct hop *h, const char *path)
{
	return buf_printf(
		&h->request,
		"GET %s?topic=news HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
		"Cookie: PHPSESSID=0123456789abcdefghijklmnop\r\nX-SSE-Topic: news\r\n"
		"X-Original-URI: /events?topic=news\r\nX-Original-Method: GET\r\n\r\n",
		path);
}

/* ---- answers: whether one is whole, and whether it is a 204 ---- */

static bool fcgi_whole(const struct slot *s)
{
	const unsigned char *at = (const unsigned char *)s->answer, *end = at + s->len;

	while (end - at >= HEADER_BYTES) {
		if (at[1] == END_REQUEST)
			return true;
		at += HEADER_BYTES + (at[4] << 8) + at[5] + at[6];
	}
	return false;
}

static bool http_whole(const struct slot *s)
{
	return s->len >= 4 && memcmp(s->answer + s->len - 4, "\r\n\r\n", 4) == 0;
}

static bool is_204(const struct hop *h, struct slot *s)
{
	const char *start = h->fcgi ? s->answer + HEADER_BYTES : s->answer;
	const char *words = h->fcgi ? "Status: 204" : "HTTP/1.1 204";

	return s->len > HEADER_BYTES + strlen(words) && memcmp(start, words, strlen(words)) == 0;
}

/* ---- one call after the other in each slot ---- */

static void open_slot(struct hop *h, struct slot *s)
{
	s->fd = socket(h->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&h->address, h->address_len) < 0)
		die("connect");
}

static void begin(struct hop *h, struct slot *s)
{
	s->len = 0;
	s->begun = now(CLOCK_MONOTONIC);
	if (s->fd < 0)
		open_slot(h, s);
	if (send(s->fd, h->request.data, h->request.len, MSG_NOSIGNAL) != (ssize_t)h->request.len)
		die("send");
}

static void finish(struct hop *h, struct slot *s)
{
	double seconds = now(CLOCK_MONOTONIC) - s->begun;

	if (is_204(h, s))
		h->ok++;
	else if (h->other++ == 0)
		fprintf(stderr, "hop: another answer: %.*s\n", (int)s->len, s->answer);
	histogram_add(&h->times, (uint64_t)(seconds * 1e6));
	if (!h->kept) {
		close(s->fd);
		s->fd = -1;
	}
}

/* Returns whether the answer is whole. */
static bool receive(struct hop *h, struct slot *s)
{
	ssize_t n = read(s->fd, s->answer + s->len, sizeof(s->answer) - s->len);

	if (n <= 0) {
		errno = n ? errno : ECONNRESET;
		die("the answer");
	}
	s->len += (size_t)n;
	return h->fcgi ? fcgi_whole(s) : http_whole(s);
}

static void run(struct hop *h, struct slot *slots, size_t n)
{
	struct pollfd fds[UNDER_WAY_MAX];
	size_t open = n;

	for (size_t i = 0; i < n; i++) {
		slots[i].fd = -1;
		begin(h, &slots[i]);
		fds[i] = (struct pollfd){.fd = slots[i].fd, .events = POLLIN};
	}
	while (open > 0) {
		if (poll(fds, n, -1) < 0)
			die("poll");
		for (size_t i = 0; i < n; i++) {
			if (fds[i].fd < 0 || !fds[i].revents || !receive(h, &slots[i]))
				continue;
			finish(h, &slots[i]);
			if (now(CLOCK_MONOTONIC) < h->end) {
				begin(h, &slots[i]);
				fds[i].fd = slots[i].fd;
			} else {
				fds[i].fd = -1;
				open--;
			}
		}
	}
}

/* ---- the command line ---- */

static int usage(void)
{
	fputs("usage: hop http|fcgi|fcgi-kept HOST:PORT|SOCKET PATH UNDER_WAY SECONDS\n", stderr);
	return 2;
}

static bool read_address(struct hop *h, const char *text)
{
	struct sockaddr_un *local = (struct sockaddr_un *)&h->address;

	if (*text != '/') {
		h->address_len = sizeof(struct sockaddr_in);
		return address_parse(text, (struct sockaddr_in *)&h->address);
	}
	h->address_len = sizeof(*local);
	local->sun_family = AF_UNIX;
	if (strlen(text) >= sizeof(local->sun_path))
		return false;
	memcpy(local->sun_path, text, strlen(text));
	return true;
}

static void report(const struct hop *h, double seconds, double cpu)
{
	printf("{\"calls_per_s\": %.1f, \"calls\": %llu, \"other\": %llu, \"p50_us\": %llu, "
	       "\"p99_us\": %llu, "
	       "\"cpu_us\": %.2f}\n",
	       (double)h->ok / seconds, (unsigned long long)h->ok, (unsigned long long)h->other,
	       (unsigned long long)histogram_quantile(&h->times, 0.5),
	       (unsigned long long)histogram_quantile(&h->times, 0.99),
	       h->ok ? cpu * 1e6 / (double)h->ok : 0);
}

int main(int argc, char **argv)
{
	static struct hop h;
	uint64_t under_way, seconds;

	if (argc != 6 || !read_address(&h, argv[2]) ||
	    num_parse_u64(argv[4], strlen(argv[4]), 1, UNDER_WAY_MAX, &under_way) < 0 ||
	    num_parse_u64(argv[5], strlen(argv[5]), 1, 3600, &seconds) < 0)
		return usage();
	h.fcgi = strcmp(argv[1], "http") != 0;
	h.kept = strcmp(argv[1], "fcgi") != 0;
	buf_init(&h.request, REQUEST_MAX);
	struct slot *slots = calloc(under_way, sizeof(*slots));
	if (!slots || (h.fcgi ? make_fcgi(&h, argv[3]) : make_http(&h, argv[3])) != 0)
		die("hop");
	double begun = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	h.end = begun + (double)seconds;
	run(&h, slots, under_way);
	report(&h, now(CLOCK_MONOTONIC) - begun, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	free(slots);
	buf_done(&h.request);
	return h.other ? 1 : 0;
}
