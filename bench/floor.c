/* floor: see floor.h. Accepts, reads up to the blank line, answers a constant head, and sends each
 * event to each stream by one plain send(): no HTTP, no queue, no log. What it can't do it drops.
 */
#include "bench/floor.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/address.h"
#include "common/num.h"

#define READY 512

__attribute__((noreturn)) void floor_die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void watch(const struct floor *f, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		floor_die("epoll_ctl");
}

/* ---- streams ---- */

static void accept_all(struct floor *f)
{
	int fd, on = 1;

	while ((fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		if (fd >= FLOOR_FDS) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		f->head_len[fd] = 0;
		watch(f, fd);
	}
}

static void drop(struct floor *f, int fd)
{
	floor_leave(f, fd);
	close(fd);
}

/* GET /…?topic=a,b HTTP/1.1 and so on. */
static void answer(struct floor *f, int fd, const char *head, size_t len)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				    "Cache-Control: no-cache\r\nConnection: close\r\n\r\n";
	const char *topic = memmem(head, len, "topic=", 6), *end;

	if (!topic || f->subs_of[fd]) {
		drop(f, fd);
		return;
	}
	topic += 6;
	end = memchr(topic, ' ', (size_t)(head + len - topic));
	if (!end || send(fd, reply, sizeof(reply) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		drop(f, fd);
		return;
	}
	floor_join(f, fd, topic, (size_t)(end - topic));
}

static void read_head(struct floor *f, int fd)
{
	char *head = f->heads[fd], once[FLOOR_HEAD];
	size_t had = f->head_len[fd];
	char *at = had ? head + had : once;
	ssize_t n = recv(fd, at, FLOOR_HEAD - had, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		drop(f, fd);
		return;
	}
	if (memmem(had ? head : once, had + (size_t)n, "\r\n\r\n", 4)) {
		answer(f, fd, had ? head : once, had + (size_t)n);
		return;
	}
	if (had + (size_t)n == FLOOR_HEAD) {
		drop(f, fd);
		return;
	}
	if (!had)
		memcpy(head, once, (size_t)n);
	f->head_len[fd] = (uint16_t)(had + (size_t)n);
}

/* ---- the loop ---- */

static void serve(struct floor *f, int fd)
{
	if (fd == f->listener) {
		accept_all(f);
	} else if (floor_source_has(f, fd)) {
		int more = floor_source_take(f, fd);

		if (more >= 0)
			watch(f, more);
	} else {
		read_head(f, fd);
	}
}

static void loop(struct floor *f)
{
	struct epoll_event ready[READY];

	for (;;) {
		int n = epoll_wait(f->epoll, ready, READY, -1);

		for (int i = 0; i < n; i++)
			serve(f, ready[i].data.fd);
		floor_send(f);
	}
}

static int open_listener(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) || listen(fd, 4096))
		floor_die("listen");
	return fd;
}

static void run(const struct floor_options *o)
{
	struct floor *f = calloc(1, sizeof(*f));

	if (!f || !(f->heads = calloc(FLOOR_FDS, sizeof(*f->heads))) ||
	    !(f->subs = calloc(FLOOR_SUBS, sizeof(*f->subs))))
		floor_die("out of memory");
	f->o = o;
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(f, floor_source_open(f));
	f->listener = open_listener(&o->listen);
	watch(f, f->listener);
	loop(f);
}

/* ---- the command line ---- */

static const char usage[] = "usage: floor --listen HOST:PORT (--control HOST:PORT | --redis "
			    "PATH|HOST:PORT) [--coalesce N] [--processes N]\n"
			    "process i has the control port PORT + i\n";

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t value;

	if (num_parse_u64(text, strlen(text), 1, max, &value) == 0)
		return value;
	fputs(usage, stderr);
	exit(2);
}

static void read_options(struct floor_options *o, int argc, char **argv)
{
	static const struct option words[] = {{"listen", required_argument, NULL, 'l'},
					      {"control", required_argument, NULL, 'c'},
					      {"redis", required_argument, NULL, 'r'},
					      {"coalesce", required_argument, NULL, 'n'},
					      {"processes", required_argument, NULL, 'p'},
					      {NULL, 0, NULL, 0}};
	bool good = true;
	int option;

	*o = (struct floor_options){.coalesce = 1, .processes = 1};
	while (good && (option = getopt_long(argc, argv, "", words, NULL)) != -1) {
		switch (option) {
		case 'l': good = address_parse(optarg, &o->listen); break;
		case 'c': good = address_parse(optarg, &o->control); break;
		case 'r': o->redis = optarg; break;
		case 'n': o->coalesce = number(optarg, 4096); break;
		case 'p': o->processes = number(optarg, 64); break;
		default: good = false;
		}
	}
	if (good && o->listen.sin_port && (o->redis || o->control.sin_port))
		return;
	fputs(usage, stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct floor_options o;
	struct rlimit limit;
	uint16_t port;

	read_options(&o, argc, argv);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	port = ntohs(o.control.sin_port);
	for (uint64_t i = 1; i < o.processes; i++) {
		pid_t pid = fork();

		if (pid < 0)
			floor_die("fork");
		if (pid > 0)
			continue;
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() == 1)
			_exit(1);
		o.control.sin_port = htons((uint16_t)(port + i));
		break;
	}
	run(&o);
	return 0;
}
