/* herd: many listeners that come at once, as after a restart, each with a cursor. Connects all of
 * them as fast as it can, reads until each has got its missed events and the id that ends the
 * replay, and prints one line of JSON: how many were resumed, what they got, and when. Who is told
 * `sse.busy` comes back when its `retry:` says, and is counted.
 *
 *   herd HOST PORT COUNT EVENTS CURSOR TARGET [USERS LIMIT_SECONDS]
 *
 * EVENTS: missed events of each listener; CURSOR: its Last-Event-ID, `-` for none. In TARGET, %d is
 * the listener's number modulo 1000. USERS: so many cookies are shared out among the listeners, and
 * all of a user come from one address; 0: no cookies. Exit 1 when somebody was not served whole
 * within the limit (60 s), or its stream ended before. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/histogram.h"

#define LINE_BYTES    512
#define LIMIT_SECONDS 60.
#define SETS          1000
#define SOURCES       16 /* addresses of ours: the kernel looks long for a free port of one */

struct listener {
	int fd;
	bool sent, resumed, opened, busy, done, wrong;
	bool named; /* the block has an event of a topic */
	bool plain; /* the block has a name or data: its id is no position alone */
	size_t events;
	double again_at; /* when to come back; 0 while it is connected */
	unsigned long retry_ms;
	uint64_t id[2]; /* of the last event */
	size_t line_len;
	char line[LINE_BYTES];
};

struct herd {
	struct sockaddr_in address;
	size_t count, events, users;
	const char *cursor, *target;
	struct listener *all;
	double *done_at;
	size_t n_done, n_away, n_busy;
	struct histogram opening; /* ms until sse.open */
	int epoll;
	double started, limit;
};

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void finish(struct herd *h, struct listener *l)
{
	if (l->done)
		return;
	l->done = true;
	h->done_at[h->n_done++] = now() - h->started;
}

static void note_id(struct herd *h, struct listener *l, const char *text)
{
	uint64_t ms = strtoull(text, NULL, 10), n = strtoull(strchr(text, '-') + 1, NULL, 10);

	if (l->named) {
		l->wrong |= ms < l->id[0] || (ms == l->id[0] && n <= l->id[1] && l->events > 1);
		l->id[0] = ms;
		l->id[1] = n;
	} else if (!l->plain && l->events == h->events) {
		finish(h, l);
	}
}

static void note_opening(struct herd *h, struct listener *l, const char *line)
{
	l->resumed |= strstr(line, "\"resumed\":true") != NULL;
	if (!l->opened)
		histogram_add(&h->opening, (uint64_t)((now() - h->started) * 1e3));
	l->opened = true;
	if (*h->cursor == '-')
		finish(h, l);
}

static void take_line(struct herd *h, struct listener *l, const char *line)
{
	if (*line == '\0') {
		l->named = l->plain = false;
	} else if (strncmp(line, "event: ", 7) == 0) {
		l->plain = true;
		l->named = strncmp(line + 7, "sse.", 4) != 0;
		l->events += l->named;
		l->wrong |= strncmp(line + 7, "sse.reset", 9) == 0;
		l->busy = strcmp(line + 7, "sse.busy") == 0;
	} else if (strncmp(line, "retry: ", 7) == 0) {
		l->retry_ms = strtoul(line + 7, NULL, 10);
	} else if (strncmp(line, "data: {\"topics\"", 15) == 0) {
		note_opening(h, l, line);
	} else if (strncmp(line, "id: ", 4) == 0 && strchr(line, '-')) {
		note_id(h, l, line + 4);
	}
}

static void take_bytes(struct herd *h, struct listener *l, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			l->line[l->line_len] = '\0';
			take_line(h, l, l->line);
			l->line_len = 0;
		} else if (bytes[i] != '\r' && l->line_len < LINE_BYTES - 1) {
			l->line[l->line_len++] = bytes[i];
		}
	}
}

static size_t number_of(const struct herd *h, const struct listener *l)
{
	return (size_t)(l - h->all);
}

static void send_request(struct herd *h, struct listener *l)
{
	char target[256], request[1024], cookie[64] = "";
	int len;

	snprintf(target, sizeof(target), "%s", h->target);
	char *number = strstr(target, "%d");
	if (number)
		snprintf(number, sizeof(target) - (size_t)(number - target), "%zu%s",
			 number_of(h, l) % SETS, strstr(h->target, "%d") + 2);
	if (h->users)
		snprintf(cookie, sizeof(cookie), "Cookie: s=%zu\r\n", number_of(h, l) % h->users);
	len = snprintf(request, sizeof(request),
		       "GET %s HTTP/1.1\r\nHost: herd\r\nAccept: text/event-stream\r\n%s%s%s%s\r\n",
		       target, cookie, *h->cursor == '-' ? "" : "Last-Event-ID: ",
		       *h->cursor == '-' ? "" : h->cursor, *h->cursor == '-' ? "" : "\r\n");
	l->sent = write(l->fd, request, (size_t)len) == len;
	l->wrong |= !l->sent;
}

static void begin(struct herd *h, struct listener *l)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = l};
	struct sockaddr_in from = {.sin_family = AF_INET};
	size_t who = h->users ? number_of(h, l) % h->users : number_of(h, l);
	int on = 1;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(who % SOURCES));
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (l->fd < 0 || bind(l->fd, (const struct sockaddr *)&from, sizeof(from)) != 0 ||
	    (connect(l->fd, (const struct sockaddr *)&h->address, sizeof(h->address)) != 0 &&
	     errno != EINPROGRESS) ||
	    epoll_ctl(h->epoll, EPOLL_CTL_ADD, l->fd, &e) != 0) {
		perror("connect");
		exit(2);
	}
}

/* The stream has ended: either it was told to come back, or that is wrong. */
static void end(struct herd *h, struct listener *l)
{
	close(l->fd);
	if (!l->busy) {
		l->wrong = true;
		finish(h, l);
		return;
	}
	l->sent = l->busy = false;
	l->line_len = 0;
	l->again_at = now() + (double)l->retry_ms / 1e3;
	h->n_away++;
	h->n_busy++;
}

static void come_back(struct herd *h)
{
	double at = now();

	for (size_t i = 0; i < h->count && h->n_away > 0; i++) {
		struct listener *l = &h->all[i];
		if (l->again_at == 0 || l->again_at > at)
			continue;
		l->again_at = 0;
		h->n_away--;
		begin(h, l);
	}
}

static void serve(struct herd *h, struct listener *l, uint32_t events)
{
	char bytes[65536];
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = l};

	if ((events & EPOLLOUT) && !l->sent) {
		send_request(h, l);
		epoll_ctl(h->epoll, EPOLL_CTL_MOD, l->fd, &e);
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	ssize_t n = read(l->fd, bytes, sizeof(bytes));
	if (n > 0) {
		take_bytes(h, l, bytes, (size_t)n);
	} else if (n == 0 || errno != EAGAIN) {
		end(h, l);
	}
}

static void run(struct herd *h)
{
	struct epoll_event events[512];

	h->started = now();
	for (size_t i = 0; i < h->count; i++)
		begin(h, &h->all[i]);
	while (h->n_done < h->count && now() - h->started < h->limit) {
		int n = epoll_wait(h->epoll, events, 512, 100);
		for (int i = 0; i < n; i++)
			serve(h, events[i].data.ptr, events[i].events);
		come_back(h);
	}
}

static bool report(const struct herd *h)
{
	size_t resumed = 0, events = 0, wrong = 0;
	double half = h->n_done ? h->done_at[h->n_done / 2] : -1;
	double last = h->n_done ? h->done_at[h->n_done - 1] : -1;

	for (size_t i = 0; i < h->count; i++) {
		resumed += h->all[i].resumed;
		events += h->all[i].events;
		wrong += h->all[i].wrong || !h->all[i].done;
	}
	printf("{\"listeners\": %zu, \"resumed\": %zu, \"events\": %zu, \"wrong\": %zu, \"busy\": "
	       "%zu, "
	       "\"first_s\": %.3f, \"half_s\": %.3f, \"last_s\": %.3f, "
	       "\"open_p50_s\": %.3f, \"open_p99_s\": %.3f}\n",
	       h->count, resumed, events, wrong, h->n_busy, h->n_done ? h->done_at[0] : -1, half,
	       last, (double)histogram_quantile(&h->opening, 0.5) / 1e3,
	       (double)histogram_quantile(&h->opening, 0.99) / 1e3);
	return wrong == 0;
}

int main(int argc, char **argv)
{
	static struct herd h = {.address = {.sin_family = AF_INET}};

	if ((argc != 7 && argc != 9) || inet_pton(AF_INET, argv[1], &h.address.sin_addr) != 1) {
		fprintf(stderr,
			"usage: herd HOST PORT COUNT EVENTS CURSOR TARGET [USERS LIMIT_SECONDS]\n");
		return 2;
	}
	h.address.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	h.count = strtoul(argv[3], NULL, 10);
	h.events = strtoul(argv[4], NULL, 10);
	h.cursor = argv[5];
	h.target = argv[6];
	h.users = argc > 7 ? strtoul(argv[7], NULL, 10) : 0;
	h.limit = argc > 7 ? strtod(argv[8], NULL) : LIMIT_SECONDS;
	h.all = calloc(h.count, sizeof(*h.all));
	h.done_at = calloc(h.count, sizeof(*h.done_at));
	h.epoll = epoll_create1(0);
	if (!h.all || !h.done_at || h.epoll < 0)
		return 2;
	run(&h);
	return report(&h) ? 0 : 1;
}
