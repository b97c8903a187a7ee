/* listen: streams that only listen, and count what comes: the other end of what is measured, as
 * cheap as can be.
 *
 *   listen HOST PORT COUNT TOPICS
 *
 * COUNT streams; stream i listens to topic:(i modulo TOPICS). Says `open` when all are, and at the
 * end of its stdin how many events came, which is how many lines began with `data:` since. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MARK       "\ndata:"
#define MARK_BYTES (sizeof(MARK) - 1)

struct stream {
	int fd;
	bool open;
	char last[MARK_BYTES - 1]; /* what came before: a mark may be cut anywhere */
};

static char bytes[MARK_BYTES - 1 + 256 * 1024];

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void begin(struct stream *s, const struct sockaddr_in *address, unsigned long topic,
		  int epoll)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
	char request[256];
	int len = snprintf(request, sizeof(request),
			   "GET /events?topic=topic:%lu HTTP/1.1\r\nHost: listen\r\n"
			   "Accept: text/event-stream\r\n\r\n",
			   topic);

	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
	    write(s->fd, request, (size_t)len) != len ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &e) != 0)
		die("connect");
}

/* Returns how many marks came. */
static unsigned long take(struct stream *s)
{
	unsigned long found = 0;
	ssize_t n = read(s->fd, bytes + sizeof(s->last), sizeof(bytes) - sizeof(s->last));

	if (n <= 0)
		die("a stream ended");
	memcpy(bytes, s->last, sizeof(s->last));
	size_t len = sizeof(s->last) + (size_t)n;
	for (const char *at = bytes;
	     (at = memmem(at, len - (size_t)(at - bytes), MARK, MARK_BYTES)); at += MARK_BYTES)
		found++;
	memcpy(s->last, bytes + len - sizeof(s->last), sizeof(s->last));
	return found;
}

static unsigned long listen_to_all(int epoll, unsigned long count)
{
	unsigned long opened = 0, events = 0;

	for (;;) {
		struct epoll_event ready[256];
		int n = epoll_wait(epoll, ready, 256, -1);
		for (int i = 0; i < n; i++) {
			struct stream *s = ready[i].data.ptr;
			if (!s)
				return events;
			unsigned long found = take(s);
			if (!s->open && found > 0) {
				s->open = true; /* that of sse.open */
				found--;
				if (++opened == count)
					puts("open");
				fflush(stdout);
			}
			events += found;
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct epoll_event end = {.events = EPOLLIN | EPOLLHUP};
	int epoll = epoll_create1(0);

	if (argc != 5 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
		fprintf(stderr, "usage: listen HOST PORT COUNT TOPICS\n");
		return 2;
	}
	address.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	unsigned long count = strtoul(argv[3], NULL, 10), topics = strtoul(argv[4], NULL, 10);
	struct stream *all = calloc(count, sizeof(*all));
	if (!all || epoll < 0 || topics == 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &end) != 0)
		die("listen");
	for (unsigned long i = 0; i < count; i++)
		begin(&all[i], &address, i % topics, epoll);
	printf("%lu\n", listen_to_all(epoll, count));
	return 0;
}
