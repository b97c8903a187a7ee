/* publisher: see publisher.h. Here is what the ways share, and the floor's way. */
#include "bench/publisher.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/address.h"
#include "bench/load_options.h"
#include "bench/publisher_ways.h"
#include "common/buf.h"
#include "common/num.h"

struct publisher {
	const struct publisher_ops *ops;
	void *way;
};

__attribute__((noreturn)) void publisher_die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

void publisher_must(int rc)
{
	if (rc >= 0)
		return;
	errno = -rc;
	publisher_die("publishing");
}

static int dial_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		publisher_die(path);
	}
	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		publisher_die(path);
	return fd;
}

int publisher_dial(const char *to)
{
	struct sockaddr_in address;
	int fd, on = 1;

	if (*to == '/')
		return dial_unix(to);
	errno = EINVAL;
	if (!address_parse(to, &address))
		publisher_die(to);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		publisher_die(to);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

void publisher_send(int fd, const struct buf *b)
{
	for (size_t done = 0; done < b->len;) {
		ssize_t n = send(fd, b->data + done, b->len - done, MSG_NOSIGNAL);

		if (n < 0)
			publisher_die("send");
		done += (size_t)n;
	}
}

void publisher_message(struct buf *b, struct span payload)
{
	publisher_must(buf_append_str(b, "{\"event\":\"message\",\"data\":\""));
	publisher_must(buf_append(b, payload.at, payload.len));
	publisher_must(buf_append_str(b, "\"}"));
}

/* ---- to the floor ---- */

struct to_floor {
	int fds[PUBLISHER_FDS]; /* of each of its processes */
	uint64_t n;
	struct buf out;
};

/* HOST:PORT, or HOST:PORT+COUNT. */
static void *floor_open(const struct load_options *o)
{
	struct to_floor *f = calloc(1, sizeof(*f));
	const char *colon = strrchr(o->to, ':'), *plus = strchr(o->to, '+');
	const char *end = plus ? plus : o->to + strlen(o->to);
	uint64_t port;
	char to[64];

	if (!f)
		publisher_die("calloc");
	f->n = 1;
	if (!colon || colon > end)
		publisher_must(-EINVAL);
	publisher_must(num_parse_u64(colon + 1, (size_t)(end - colon - 1), 1, 65535 - PUBLISHER_FDS,
				     &port));
	if (plus)
		publisher_must(num_parse_u64(plus + 1, strlen(plus + 1), 1, PUBLISHER_FDS, &f->n));
	for (uint64_t i = 0; i < f->n; i++) {
		snprintf(to, sizeof(to), "%.*s:%llu", (int)(colon - o->to), o->to,
			 (unsigned long long)(port + i));
		f->fds[i] = publisher_dial(to);
	}
	buf_init(&f->out, PUBLISHER_BUFFER_MAX);
	return f;
}

static void floor_close(void *way)
{
	struct to_floor *f = way;

	for (uint64_t i = 0; i < f->n; i++)
		close(f->fds[i]);
	buf_done(&f->out);
	free(f);
}

static bool floor_ready(const void *way)
{
	(void)way;
	return true;
}

static void floor_put(void *way, struct span topic, struct span payload)
{
	struct to_floor *f = way;

	publisher_must(buf_printf(&f->out, "%.*s %zu\n", (int)topic.len, topic.at, payload.len));
	publisher_must(buf_append(&f->out, payload.at, payload.len));
}

static void floor_flush(void *way)
{
	struct to_floor *f = way;

	for (uint64_t i = 0; i < f->n; i++)
		publisher_send(f->fds[i], &f->out);
	buf_clear(&f->out);
}

static size_t floor_fds(const void *way, struct pollfd *out)
{
	(void)way;
	(void)out;
	return 0;
}

static void floor_take(void *way)
{
	(void)way;
}

static void floor_counts(const void *way, uint64_t *answered, uint64_t *refused)
{
	(void)way;
	*answered = *refused = 0;
}

const struct publisher_ops publisher_floor = {floor_open,  floor_close, floor_ready, floor_put,
					      floor_flush, floor_fds,   floor_take,  floor_counts};

/* ---- whichever it is ---- */

struct publisher *publisher_new(const struct load_options *o)
{
	struct publisher *p = calloc(1, sizeof(*p));

	if (!p)
		publisher_die("calloc");
	p->ops = o->way == LOAD_TO_FLOOR  ? &publisher_floor
		 : o->way == LOAD_TO_HTTP ? &publisher_http
					  : &publisher_redis;
	p->way = p->ops->open(o);
	return p;
}

void publisher_free(struct publisher *p)
{
	if (!p)
		return;
	p->ops->close(p->way);
	free(p);
}

bool publisher_ready(const struct publisher *p)
{
	return p->ops->ready(p->way);
}

void publisher_put(struct publisher *p, struct span topic, struct span payload)
{
	p->ops->put(p->way, topic, payload);
}

void publisher_flush(struct publisher *p)
{
	p->ops->flush(p->way);
}

size_t publisher_fds(const struct publisher *p, struct pollfd *out)
{
	return p->ops->fds(p->way, out);
}

void publisher_take(struct publisher *p)
{
	p->ops->take(p->way);
}

uint64_t publisher_answered(const struct publisher *p)
{
	uint64_t answered, refused;

	p->ops->counts(p->way, &answered, &refused);
	return answered;
}

uint64_t publisher_refused(const struct publisher *p)
{
	uint64_t answered, refused;

	p->ops->counts(p->way, &answered, &refused);
	return refused;
}
