/* client_in: what comes from one client: a request, then nothing of interest. Part of client
 * (client_inside.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "streamer/answer.h"
#include "streamer/client_inside.h"

#define READ_CHUNK      4096
#define MAX_THROWN_AWAY 65536

static int keep_input(struct client *c, const char *bytes, size_t len)
{
	size_t need = c->input_len + len;

	if (need > c->input_cap) {
		size_t cap = c->input_cap ? (size_t)c->input_cap * 2 : 1024;
		if (cap < need)
			cap = need;
		char *grown = realloc(c->input, cap);
		if (!grown)
			return -ENOMEM;
		c->input = grown;
		c->input_cap = (uint32_t)cap;
	}
	memcpy(c->input + c->input_len, bytes, len);
	c->input_len += (uint32_t)len;
	return 0;
}

void client_refuse(struct client *c, const struct http_error *error, const struct http_request *r)
{
	char *input = c->input;

	c->input = NULL;
	c->state = CLIENT_WAITING;
	deadline_stop(&c->deadline);
	c->all->ops->refuse(c->all->arg, c, error, r);
	free(input);
}

/* RFC 9110 section 10.1.1: somebody waits for leave to send the body. */
static void say_continue(struct client *c, const struct http_request *r)
{
	if (c->continued || r->minor == 0 ||
	    !http_name_equal(http_request_header(r, "Expect"), span_of("100-continue")))
		return;
	c->continued = true;
	client_push(c, answer_continue());
}

static void await_body(struct client *c, const struct http_request *r, size_t body_len)
{
	c->input_need = (uint32_t)(r->head_len + body_len);
	say_continue(c, r);
}

static void hand_over(struct client *c, const struct http_request *r, size_t body_len)
{
	char *input = c->input;
	struct span body = {input + r->head_len, body_len};

	c->input = NULL;
	c->state = CLIENT_WAITING;
	deadline_stop(&c->deadline);
	c->all->ops->request(c->all->arg, c, r, body, input);
}

static void try_request(struct client *c)
{
	struct http_request r;
	struct http_error error;
	size_t body_len = 0;
	enum http_parse state = http_request_parse(c->input, c->input_len, &r, &error);

	bool head = state == HTTP_DONE;
	if (head)
		state = http_request_body(&r, c->all->config.max_body, &body_len, &error);
	if (state == HTTP_BAD)
		client_refuse(c, &error, head ? &r : NULL);
	else if (state == HTTP_DONE && c->input_len - r.head_len >= body_len)
		hand_over(c, &r, body_len);
	else if (state == HTTP_DONE)
		await_body(c, &r, body_len);
}

static void on_bytes(struct client *c, const char *bytes, size_t len)
{
	if (c->state == CLIENT_READING) {
		if (keep_input(c, bytes, len) != 0)
			client_close(c, CLIENT_NO_MEMORY);
		else if (c->input_len >= c->input_need)
			try_request(c);
		return;
	}
	c->thrown_away += (uint32_t)len;
	if (c->thrown_away > MAX_THROWN_AWAY)
		client_close(c, CLIENT_NOISY);
}

/* A peer that closed its sending half is taken as gone: browsers and proxies never do that while
 * they listen. While an answer is on its way out it may. */
static void on_end(struct client *c, bool error)
{
	if (!error && c->state == CLIENT_ENDING) {
		if (c->blocked)
			client_watch(c, EV_WRITE);
		return;
	}
	client_close(c, c->state == CLIENT_LINGERING ? CLIENT_ANSWERED : CLIENT_PEER_GONE);
}

void client_read(struct client *c)
{
	char chunk[READ_CHUNK];
	ssize_t n = recv(c->io.fd, chunk, sizeof(chunk), 0);

	if (n > 0)
		on_bytes(c, chunk, (size_t)n);
	else if (n == 0)
		on_end(c, false);
	else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		on_end(c, true);
}
