/* auth_http: libcurl on libev. Owns the multi handle, a watcher for each of its sockets and its one
 * timer; which connections it may use again auth_kept.c looks after. curl says which sockets to
 * watch (on_socket) and when to call (on_timeout); both callbacks only arm watchers, never call
 * curl again. A watcher dies before its socket closes, because descriptor numbers come back. */
#include "streamer/auth_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <ev.h>
#include <stdint.h>
#include <stdlib.h>
#include "common/buf.h"
#include "streamer/ask.h"
#include "streamer/auth_fields.h"
#include "streamer/auth_kept.h"
#include "streamer/auth_url.h"

#define LINE_MAX_BYTES 16384 /* URL, header lines */

struct socket_watch {
	ev_io io;
	struct auth_http *http;
	struct socket_watch *prev, *next;
};

struct auth_http {
	struct ev_loop *loop;
	CURLM *multi;
	ev_timer timer;
	struct socket_watch *sockets;
	struct auth_kept kept;
};

struct auth_http_call {
	struct auth_http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	struct auth_fields fields;
	char error[CURL_ERROR_SIZE];
	auth_http_done_fn done;
	void *arg;
};

static void call_free(struct auth_http_call *c)
{
	if (c->easy)
		curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	buf_done(&c->body);
	free(c);
}

/* ---- answers ---- */

static void read_answer(struct auth_http_call *c, CURLcode result, struct auth_http_answer *answer)
{
	long status = 0;
	char *redirect = NULL;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &redirect);
	answer->status = status > 0 ? (unsigned)status : 0;
	answer->cut = result != CURLE_OK;
	answer->failed = answer->cut && result != CURLE_WRITE_ERROR &&
			 result != CURLE_FILESIZE_EXCEEDED && result != CURLE_OUT_OF_MEMORY;
	answer->redirect = redirect;
	answer->why = "";
	if (result == CURLE_WRITE_ERROR || result == CURLE_FILESIZE_EXCEEDED)
		answer->why = "its answer is too long";
	else if (result != CURLE_OK)
		answer->why = c->error[0] ? c->error : curl_easy_strerror(result);
	answer->body = (struct span){c->body.data, c->body.len};
	answer->www_authenticate = auth_fields_get(&c->fields, AUTH_FIELD_CHALLENGE);
	answer->caching = (struct auth_caching){
		.cache_control = auth_fields_get(&c->fields, AUTH_FIELD_CACHE_CONTROL),
		.vary = auth_fields_get(&c->fields, AUTH_FIELD_VARY),
		.age = auth_fields_get(&c->fields, AUTH_FIELD_AGE),
	};
	answer->user = auth_fields_get(&c->fields, AUTH_FIELD_USER);
	answer->expires = auth_fields_get(&c->fields, AUTH_FIELD_EXPIRES);
}

static void take_answers(struct auth_http *h)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(h->multi, &left))) {
		struct auth_http_call *c = NULL;
		struct auth_http_answer answer = {0};
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &c);
		curl_multi_remove_handle(h->multi, c->easy);
		read_answer(c, result, &answer);
		c->done(c->arg, &answer);
		call_free(c);
	}
}

/* ---- the loop ---- */

/* May free the watcher of fd. */
static void act(struct auth_http *h, curl_socket_t fd, int bits)
{
	int running;

	auth_kept_check(&h->kept);
	curl_multi_socket_action(h->multi, fd, bits, &running);
	take_answers(h);
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
	struct socket_watch *s = w->data;

	(void)loop;
	act(s->http, w->fd,
	    ((revents & EV_READ) ? CURL_CSELECT_IN : 0) |
		    ((revents & EV_WRITE) ? CURL_CSELECT_OUT : 0));
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop, (void)revents;
	act(w->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout(CURLM *multi, long ms, void *arg)
{
	struct auth_http *h = arg;

	(void)multi;
	ev_timer_stop(h->loop, &h->timer);
	if (ms >= 0) {
		ev_timer_set(&h->timer, (double)ms / 1000., 0.);
		ev_timer_start(h->loop, &h->timer);
	}
	return 0;
}

static void unwatch(struct auth_http *h, struct socket_watch *s)
{
	ev_io_stop(h->loop, &s->io);
	if (s->prev)
		s->prev->next = s->next;
	else
		h->sockets = s->next;
	if (s->next)
		s->next->prev = s->prev;
	free(s);
}

static struct socket_watch *find_watch(struct auth_http *h, curl_socket_t fd)
{
	struct socket_watch *s = h->sockets;
	while (s && s->io.fd != fd)
		s = s->next;
	return s;
}

static struct socket_watch *watch(struct auth_http *h, curl_socket_t fd)
{
	struct socket_watch *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->http = h;
	ev_io_init(&s->io, on_io, fd, 0);
	s->io.data = s;
	s->next = h->sockets;
	if (s->next)
		s->next->prev = s;
	h->sockets = s;
	return s;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct auth_http *h = arg;
	struct socket_watch *s = find_watch(h, fd);
	int events =
		((what & CURL_POLL_IN) ? EV_READ : 0) | ((what & CURL_POLL_OUT) ? EV_WRITE : 0);

	(void)easy, (void)known;
	auth_kept_set_used(&h->kept, fd, what != CURL_POLL_REMOVE);
	if (what == CURL_POLL_REMOVE) {
		if (s)
			unwatch(h, s);
		return 0;
	}
	if (!s && !(s = watch(h, fd)))
		return -1; /* curl fails the transfer */
	ev_io_stop(h->loop, &s->io);
	ev_io_set(&s->io, fd, events);
	ev_io_start(h->loop, &s->io);
	return 0;
}

/* Not every version of libcurl sends CURL_POLL_REMOVE before it closes. */
static int on_close(void *arg, curl_socket_t fd)
{
	struct auth_http *h = arg;
	struct socket_watch *s = find_watch(h, fd);
	if (s)
		unwatch(h, s);
	return auth_kept_close(&h->kept, fd);
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct auth_http *h = arg;
	int fd = auth_kept_open(&h->kept, to->family, to->socktype, to->protocol);

	(void)purpose;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* ---- calls ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct auth_http_call *c = arg;
	return buf_append(&c->body, bytes, size * count) == 0 ? size * count : 0;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct auth_http_call *c = arg;

	auth_fields_add(&c->fields, (struct span){line, size * count});
	return size * count;
}

static int add_header(struct auth_http_call *c, const char *name, struct span value)
{
	struct buf line;
	struct curl_slist *grown = NULL;

	buf_init(&line, LINE_MAX_BYTES);
	/* libcurl drops a header that ends with its colon; a semicolon asks for an empty one. */
	int err = value.len ? buf_printf(&line, "%s: %.*s", name, (int)value.len, value.at)
			    : buf_printf(&line, "%s;", name);
	if (!err)
		grown = curl_slist_append(c->headers, line.data);
	buf_done(&line);
	if (!grown)
		return -ENOMEM;
	c->headers = grown;
	return 0;
}

static bool forwards(const struct ask *ask, const char *name)
{
	for (size_t i = 0; i < ask->n_forward; i++)
		if (http_name_equal(ask->forward[i].name, span_of(name)))
			return true;
	return false;
}

static int add_headers(struct auth_http_call *c, const struct auth_http_request *r)
{
	const struct ask *ask = r->ask;
	int err = 0;

	for (size_t i = 0; i < ask->n_forward && !err; i++)
		err = add_header(c, ask->forward[i].name.at, ask->forward[i].value);
	err = err ? err : add_header(c, "X-Original-URI", ask->uri);
	err = err ? err : add_header(c, "X-Original-Method", ask->method);
	if (!err && r->topic.at)
		err = add_header(c, "X-SSE-Topic", r->topic);
	if (!err && r->body.at)
		err = add_header(c, "Content-Type", span_of("application/json"));
	if (!err && r->client_ip)
		err = add_header(c, "X-Forwarded-For", span_of(r->client_ip));
	/* Frameworks answer 401 to this, and a redirect to their log-in page to a browser's Accept.
	 */
	if (!err && !forwards(ask, "Accept"))
		err = add_header(c, "Accept", span_of("application/json"));
	return err;
}

static int set_up(struct auth_http_call *c, const struct auth_http_request *r, const char *url)
{
	CURL *e = c->easy;
	int err = 0;

	err |= curl_easy_setopt(e, CURLOPT_URL, url);
	err |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	err |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	err |= curl_easy_setopt(e, CURLOPT_PROXY, ""); /* never what http_proxy says */
	err |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	err |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	err |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)r->timeout_ms);
	err |= curl_easy_setopt(e, CURLOPT_MAXFILESIZE, (long)r->max_answer);
	err |= curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	err |= curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	err |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
	err |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	err |= curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	err |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	err |= curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
	err |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
	err |= curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
	err |= curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, c->http);
	err |= curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	err |= curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, c->http);
	err |= curl_easy_setopt(e, CURLOPT_PRIVATE, c);
	if (r->body.at) {
		err |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)r->body.len);
		err |= curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, r->body.at);
	}
	if (r->url->socket)
		err |= curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, r->url->socket);
	return err ? -ENOMEM : 0;
}

static int begin(struct auth_http_call *c, const struct auth_http_request *r)
{
	struct buf url;
	int err;

	buf_init(&url, LINE_MAX_BYTES);
	c->easy = curl_easy_init();
	err = c->easy ? add_headers(c, r) : -ENOMEM;
	err = err ? err : auth_url_for(r->url, r->topic, &url);
	err = err ? err : set_up(c, r, url.data);
	buf_done(&url);
	if (!err && curl_multi_add_handle(c->http->multi, c->easy) != CURLM_OK)
		err = -ENOMEM;
	return err;
}

struct auth_http_call *auth_http_begin(struct auth_http *h, const struct auth_http_request *request,
				       auth_http_done_fn done, void *arg)
{
	struct auth_http_call *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->http = h;
	c->done = done;
	c->arg = arg;
	buf_init(&c->body, request->max_answer);
	if (begin(c, request) != 0) {
		call_free(c);
		return NULL;
	}
	return c;
}

void auth_http_cancel(struct auth_http_call *c)
{
	if (!c)
		return;
	curl_multi_remove_handle(c->http->multi, c->easy);
	call_free(c);
}

struct auth_http *auth_http_new(struct ev_loop *loop, size_t max_connections)
{
	struct auth_http *h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->loop = loop;
	ev_init(&h->timer, on_timer);
	h->timer.data = h;
	h->multi = curl_multi_init();
	if (!h->multi) {
		free(h);
		return NULL;
	}
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)max_connections);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)max_connections);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)max_connections);
	return h;
}

void auth_http_free(struct auth_http *h)
{
	if (!h)
		return;
	curl_multi_cleanup(h->multi);
	while (h->sockets)
		unwatch(h, h->sockets);
	auth_kept_done(&h->kept);
	ev_timer_stop(h->loop, &h->timer);
	free(h);
}
