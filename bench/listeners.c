/* listeners: see listeners.h. One epoll loop with one large buffer; what is kept of a stream is the
 * cut end of its last bytes, and which events it has had. */
#include "bench/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load_options.h"
#include "bench/mark.h"
#include "bench/seen.h"
#include "bench/tally.h"
#include "common/buf.h"

#define CUT_BYTES   (MARK_BYTES - 1)
#define READ_BYTES  (256 * 1024)
#define SOURCES     16 /* addresses of ours: the kernel looks long for a free port of one */
#define REQUEST_MAX 16384
#define READY       512

struct stream {
	int fd;
	bool sent, open, warm;
	uint8_t cut_len;
	char cut[CUT_BYTES]; /* the last bytes, which may go on */
};

struct listeners {
	const struct load_options *o;
	struct tally *t;
	struct tally_process *mine;
	uint64_t first, count, stalled;
	uint64_t begun;
	struct stream *all;
	struct seen *seen; /* per of each stream */
	int epoll;
	size_t opened_len;
	struct buf request;
	char bytes[CUT_BYTES + READ_BYTES];
};

static void die(const char *what)
{
	perror(what);
	_exit(2);
}

/* ---- opening ---- */

static int make_request(struct listeners *l, uint64_t index)
{
	const struct load_options *o = l->o;
	const char *behind = strstr(o->path, "%s") + 2;
	int rc;

	buf_clear(&l->request);
	rc = buf_printf(&l->request, "GET %.*s", (int)(behind - 2 - o->path), o->path);
	for (uint64_t k = 0; rc == 0 && k < o->per; k++)
		rc = buf_printf(&l->request, "%s%s%llu", k ? "," : "", o->prefix,
				(unsigned long long)((index * o->per + k) % o->topics));
	if (rc == 0)
		rc = buf_printf(&l->request,
				"%s HTTP/1.1\r\nHost: load\r\nAccept: text/event-stream\r\n\r\n",
				behind);
	return rc;
}

/* False while the connection is not made yet. */
static bool send_request(struct listeners *l, struct stream *s)
{
	ssize_t n;

	if (make_request(l, l->first + (uint64_t)(s - l->all)) < 0)
		die("a request");
	n = send(s->fd, l->request.data, l->request.len, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
		return false;
	s->sent = n == (ssize_t)l->request.len;
	return true;
}

static void fail(struct listeners *l, struct stream *s)
{
	close(s->fd);
	s->fd = -1;
	tally_add(s->open ? &l->mine->ended : &l->mine->failed, 1);
	tally_wake(l->t);
}

static void watch(struct listeners *l, struct stream *s, int operation, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = s};

	if (epoll_ctl(l->epoll, operation, s->fd, &e) != 0)
		die("epoll_ctl");
}

/* The request goes at once: on a loopback the connection stands when connect returns. */
static void begin(struct listeners *l, struct stream *s)
{
	uint64_t index = l->first + (uint64_t)(s - l->all);
	struct sockaddr_in from = {.sin_family = AF_INET};
	int on = 1;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(index % SOURCES));
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		die("socket");
	setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(s->fd, (const struct sockaddr *)&from, sizeof(from)) != 0)
		die("bind");
	if (connect(s->fd, (const struct sockaddr *)&l->o->server, sizeof(l->o->server)) != 0 &&
	    errno != EINPROGRESS) {
		fail(l, s);
		return;
	}
	if (send_request(l, s))
		watch(l, s, EPOLL_CTL_ADD, EPOLLIN);
	else
		watch(l, s, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void begin_more(struct listeners *l)
{
	while (l->begun < l->count &&
	       l->begun - atomic_load(&l->mine->open) - atomic_load(&l->mine->failed) <
		       l->o->under_way)
		begin(l, &l->all[l->begun++]);
}

/* Those that never read have a small buffer, and are known to nobody afterwards. */
static void begin_stalled(const struct listeners *l)
{
	char request[512];
	int small = 4096, len, prefix = (int)(strstr(l->o->path, "%s") - l->o->path);

	len = snprintf(request, sizeof(request), "GET %.*s%s0%s HTTP/1.1\r\nHost: load\r\n\r\n",
		       prefix, l->o->path, l->o->prefix, l->o->path + prefix + 2);
	for (uint64_t i = 0; i < l->stalled; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			die("socket");
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		if (connect(fd, (const struct sockaddr *)&l->o->server, sizeof(l->o->server)) ||
		    send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
			die("a stalled stream");
	}
}

/* ---- what comes ---- */

static void note_open(struct listeners *l, struct stream *s, const char *at, const char *end)
{
	if (!memmem(at, (size_t)(end - at), l->o->opened, l->opened_len))
		return;
	s->open = true;
	atomic_store(&l->mine->opened_ns, mark_now());
	tally_add(&l->mine->open, 1);
	if (atomic_load(&l->mine->open) == l->count)
		tally_wake(l->t);
}

/* Event number n is the (n / topics)-th of topic n % topics. */
static enum seen_verdict note_seen(const struct listeners *l, const struct stream *s, uint32_t n)
{
	uint64_t index = (uint64_t)(s - l->all), topics = l->o->topics;
	uint64_t begin = (l->first + index) * l->o->per % topics;
	uint64_t slot = (n % topics + topics - begin) % topics;

	if (slot >= l->o->per)
		die("an event of a topic that was not asked for");
	return seen_note(&l->seen[index * l->o->per + slot], (uint32_t)(n / topics));
}

static void note_event(struct listeners *l, struct stream *s, struct mark m, uint64_t now)
{
	enum seen_verdict verdict = note_seen(l, s, m.number);

	if (!s->warm)
		tally_add(&l->mine->warm, 1);
	s->warm = true;
	if (m.number < atomic_load_explicit(&l->t->base, memory_order_relaxed)) {
		if (verdict != SEEN_DOUBLE)
			tally_delivered(l->t, m.number);
		return;
	}
	if (verdict == SEEN_DOUBLE) {
		tally_add(&l->mine->doubled, 1);
		return;
	}
	if (verdict == SEEN_LATE)
		tally_add(&l->mine->late, 1);
	tally_add(&l->mine->received, 1);
	histogram_add(&l->mine->delays, now - m.ns);
	atomic_store_explicit(&l->mine->last_ns, now, memory_order_relaxed);
	tally_delivered(l->t, m.number);
}

/* The first bytes of an answer that is no stream: busy, or an error. */
static bool is_refusal(const char *at, const char *end)
{
	static const char head[] = "HTTP/1.";

	return end - at > 12 && memcmp(at, head, sizeof(head) - 1) == 0 &&
	       memcmp(at + 8, " 200", 4) != 0;
}

static void take(struct listeners *l, struct stream *s, const char *at, const char *end)
{
	uint64_t now = mark_now();
	struct mark m;

	if (!s->open)
		note_open(l, s, at, end);
	for (const char *next = at; (next = mark_find(next, end, &m)); at = next)
		note_event(l, s, m, now);
	s->cut_len = (uint8_t)mark_cut(at, end);
	if (!s->open)
		s->cut_len = (uint8_t)(end - at < CUT_BYTES ? end - at : CUT_BYTES);
	memcpy(s->cut, end - s->cut_len, s->cut_len);
}

static void serve(struct listeners *l, struct stream *s, uint32_t events)
{
	char *at = l->bytes + CUT_BYTES;
	ssize_t n;

	if ((events & EPOLLOUT) && !s->sent && send_request(l, s))
		watch(l, s, EPOLL_CTL_MOD, EPOLLIN);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	n = recv(s->fd, at, READ_BYTES, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		fail(l, s);
		return;
	}
	memcpy(at - s->cut_len, s->cut, s->cut_len);
	if (!s->open && is_refusal(at - s->cut_len, at + n)) {
		fail(l, s);
		return;
	}
	take(l, s, at - s->cut_len, at + n);
}

__attribute__((noreturn)) void listeners_run(const struct load_options *o, struct tally *t,
					     unsigned index, uint64_t first, uint64_t count,
					     uint64_t stalled)
{
	struct listeners *l = calloc(1, sizeof(*l));
	struct epoll_event ready[READY];
	uint64_t complete = 0;

	if (!l || !(l->all = calloc(count + 1, sizeof(*l->all))) ||
	    !(l->seen = calloc(count * o->per + 1, sizeof(*l->seen))) ||
	    (l->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		die("listeners");
	l->o = o;
	l->t = t;
	l->mine = &t->processes[index];
	l->first = first;
	l->count = count;
	l->stalled = stalled;
	l->opened_len = strlen(o->opened);
	buf_init(&l->request, REQUEST_MAX);
	begin_stalled(l);
	for (;;) {
		begin_more(l);
		int n = epoll_wait(l->epoll, ready, READY, -1);
		for (int i = 0; i < n; i++)
			serve(l, ready[i].data.ptr, ready[i].events);
		if (atomic_load(&t->complete) != complete) {
			complete = atomic_load(&t->complete);
			tally_tell(t);
		}
	}
}
