/* publisher_http: events by POST, one request at a time on each of some connections that are kept
 * alive. An answer ends with what its Content-Length says; without one the connection is taken
 * for one that can't be kept. */
#include "bench/publisher_ways.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load_options.h"
#include "common/buf.h"
#include "common/num.h"

#define ANSWER_BYTES 16384

struct connection {
	int fd;
	bool busy;
	size_t len;
	char answer[ANSWER_BYTES + 1];
};

struct to_http {
	const struct load_options *o;
	size_t n, n_free;
	uint64_t answered, refused;
	struct buf out, body;
	struct connection all[];
};

static void *http_open(const struct load_options *o)
{
	struct to_http *h = calloc(1, sizeof(*h) + o->connections * sizeof(h->all[0]));

	if (!h)
		publisher_die("calloc");
	h->o = o;
	h->n = h->n_free = o->connections;
	buf_init(&h->out, PUBLISHER_BUFFER_MAX);
	buf_init(&h->body, PUBLISHER_BUFFER_MAX);
	for (size_t i = 0; i < h->n; i++)
		h->all[i].fd = publisher_dial(o->to);
	return h;
}

static void http_close(void *way)
{
	struct to_http *h = way;

	for (size_t i = 0; i < h->n; i++)
		close(h->all[i].fd);
	buf_done(&h->out);
	buf_done(&h->body);
	free(h);
}

static bool http_ready(const void *way)
{
	return ((const struct to_http *)way)->n_free > 0;
}

static void make_body(struct to_http *h, struct span topic, struct span payload)
{
	buf_clear(&h->body);
	if (!h->o->post_json) {
		publisher_must(buf_append(&h->body, payload.at, payload.len));
		return;
	}
	publisher_must(buf_printf(&h->body,
				  "{\"topic\":\"%.*s\",\"event\":\"message\",\"data\":\"%.*s\"}",
				  (int)topic.len, topic.at, (int)payload.len, payload.at));
}

static void make_request(struct to_http *h, struct span topic, struct span payload)
{
	const char *path = h->o->post_path, *hole = strstr(path, "%s");
	int before = hole ? (int)(hole - path) : (int)strlen(path);

	make_body(h, topic, payload);
	publisher_must(buf_printf(&h->out, "POST %.*s%.*s%s HTTP/1.1\r\nHost: load\r\n", before,
				  path, hole ? (int)topic.len : 0, topic.at, hole ? hole + 2 : ""));
	publisher_must(buf_printf(&h->out, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
				  h->o->post_json ? "application/json" : "text/plain",
				  h->body.len));
	publisher_must(buf_append(&h->out, h->body.data, h->body.len));
}

/* Sent at once: each has a connection of its own, so there is nothing to be joined. */
static void http_put(void *way, struct span topic, struct span payload)
{
	struct to_http *h = way;
	struct connection *c = h->all;

	while (c->busy)
		c++;
	make_request(h, topic, payload);
	publisher_send(c->fd, &h->out);
	buf_clear(&h->out);
	c->busy = true;
	c->len = 0;
	h->n_free--;
}

static void http_flush(void *way)
{
	(void)way;
}

static size_t http_fds(const void *way, struct pollfd *out)
{
	const struct to_http *h = way;
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		if (h->all[i].busy)
			out[n++] = (struct pollfd){.fd = h->all[i].fd, .events = POLLIN};
	return n;
}

/* Returns whether the whole answer is there; *keep says whether another may follow. */
static bool is_whole(const struct connection *c, bool *keep)
{
	const char *end = strstr(c->answer, "\r\n\r\n");
	const char *length = strcasestr(c->answer, "\r\nContent-Length:");
	uint64_t bytes = 0;

	if (!end)
		return false;
	*keep = !strcasestr(c->answer, "\r\nConnection: close");
	if (length && length < end) {
		length += strlen("\r\nContent-Length:");
		length += strspn(length, " ");
		publisher_must(
			num_parse_u64(length, strcspn(length, "\r"), 0, ANSWER_BYTES, &bytes));
		return c->len >= (size_t)(end + 4 - c->answer) + bytes;
	}
	end = strstr(end + 4, "0\r\n\r\n"); /* chunked, to its last chunk */
	return end != NULL;
}

static void finish(struct to_http *h, struct connection *c, bool keep)
{
	h->answered++;
	if (strncmp(c->answer, "HTTP/1.1 2", 10) != 0 && h->refused++ == 0)
		fprintf(stderr, "load: refused: %.300s\n", c->answer);
	c->busy = false;
	h->n_free++;
	if (keep)
		return;
	close(c->fd);
	c->fd = publisher_dial(h->o->to);
}

static void take_from(struct to_http *h, struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->len, ANSWER_BYTES - c->len, MSG_DONTWAIT);
	bool keep = true;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		publisher_die("an answer");
	c->len += (size_t)n;
	c->answer[c->len] = '\0';
	if (is_whole(c, &keep))
		finish(h, c, keep);
}

static void http_take(void *way)
{
	struct to_http *h = way;

	for (size_t i = 0; i < h->n; i++)
		if (h->all[i].busy)
			take_from(h, &h->all[i]);
}

static void http_counts(const void *way, uint64_t *answered, uint64_t *refused)
{
	const struct to_http *h = way;

	*answered = h->answered;
	*refused = h->refused;
}

const struct publisher_ops publisher_http = {http_open,  http_close, http_ready, http_put,
					     http_flush, http_fds,   http_take,  http_counts};
