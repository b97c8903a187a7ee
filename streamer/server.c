/* server: the wiring; the only file that knows everybody. The callbacks stand in the order in which
 * a listener and then a message meet them:
 *
 *   on_accept → (client.c reads) → on_request → route → begin_stream → auth_begin → on_verdict →
 * stream_admit redis_link → on_redis_message … → streams.c → hub → client_push → (client.c flushes
 * at the end of the turn) on_closed → stream_free
 *
 * Owns the loop, the listeners, the timers and signals, and every module's object. */
#include "streamer/server.h"

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "common/log.h"
#include "streamer/admin.h"
#include "streamer/answer.h"
#include "streamer/auth.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/config.h"
#include "streamer/ip_count.h"
#include "streamer/jitter.h"
#include "streamer/listener.h"
#include "streamer/redis_link.h"
#include "streamer/route.h"
#include "streamer/stats.h"
#include "streamer/streams.h"

#define REQUEST_SECONDS 5.
#define GOODBYE_SECONDS .7   /* the most that a stop may take: who reads nothing is not waited for \
			      */
#define POSITION_SECONDS 10. /* how often Redis's clock is looked at when no listener asks for it  \
			      */
#define RESERVED_FILES                                                                             \
	128 /* descriptors for Redis, listeners, the log, and connections that get a short answer  \
	     */
#define BUSY_LOW_MS  5000u
#define BUSY_HIGH_MS 30000u

struct server {
	const struct config *config;
	struct ev_loop *loop;
	struct listener *listeners; /* the public ones, then the admin's */
	size_t n_listeners;
	struct clients clients;
	struct streams streams;
	struct auth *auth; /* NULL: public */
	struct redis_link *redis;
	struct ip_count ips;
	struct stats stats;
	struct route_config route;
	uint64_t max_streams;     /* max_connections, or what the descriptors allow */
	uint64_t max_clients;     /* connections of every kind; above it nobody is accepted */
	uint64_t streams_claimed; /* places of max_streams taken: streams, and who waits for a
				     verdict */
	double started, next_tick;
	ev_timer tick, position, goodbye;
	ev_signal signals[3];
	bool stopping;
};

static uint64_t busy_retry(const struct server *s)
{
	return s->stopping ? streams_bye_retry(&s->streams)
			   : jitter_between(BUSY_LOW_MS, BUSY_HIGH_MS);
}

static struct answer_to answer_to(const struct server *s, const struct client *c,
				  const struct ask *ask)
{
	return (struct answer_to){
		.cors = c->admin ? NULL : &s->config->cors,
		.origin = ask ? ask->origin : (struct span){NULL, 0},
		.head = ask && ask->head,
		.event_stream = ask && ask->event_stream,
		.now = time(NULL),
	};
}

static void finish(struct client *c, struct frame *answer)
{
	client_push_taken(c, answer);
	client_end(c);
}

/* ---- a connection, a request ---- */

static void on_accept(void *arg, int fd, bool admin)
{
	struct server *s = arg;

	client_new(&s->clients, fd, admin);
	for (size_t i = 0; i < s->n_listeners && s->clients.count >= s->max_clients; i++)
		listener_pause(&s->listeners[i]);
}

static void on_refuse(void *arg, struct client *c, const struct http_error *error)
{
	struct server *s = arg;
	struct answer_to to = answer_to(s, c, NULL);

	s->stats.failed++;
	finish(c, answer_error(&to, error->status, span_of(error->detail), NULL, NULL));
}

static void refuse_ask(struct server *s, struct client *c, const struct ask *ask)
{
	struct answer_to to = answer_to(s, c, ask);

	s->stats.failed++;
	finish(c, answer_error(&to, ask->status, span_of(ask->detail), ask->allow, NULL));
}

static void say_busy(struct server *s, struct client *c, const struct ask *ask, const char *detail)
{
	struct answer_to to = answer_to(s, c, ask);

	s->stats.rejected++;
	finish(c, answer_busy(&to, detail, busy_retry(s)));
}

static void answer_admin(struct server *s, struct client *c, const struct ask *ask)
{
	struct answer_to to = answer_to(s, c, ask);
	struct admin_view view = {
		.metrics =
			{
				.stats = &s->stats,
				.hub = &s->streams.hub,
				.uptime_seconds = clock_seconds() - s->started,
				.connections = s->clients.count,
				.delivered = s->clients.events_sent,
				.dropped = s->clients.events_dropped,
				.redis_reconnects = redis_link_reconnects(s->redis),
				.redis_errors = redis_link_errors(s->redis),
				.redis_ready = redis_link_ready(s->redis),
				.auth_inflight = s->auth ? auth_inflight(s->auth) : 0,
				.auth_waiting = s->auth ? auth_waiting(s->auth) : 0,
				.log_dropped = log_dropped(),
			},
		.stopping = s->stopping,
		.full = s->streams_claimed >= s->max_streams,
	};
	finish(c, admin_answer(ask->kind, &to, &view));
}

/* ---- a stream and its verdict ---- */

static void admit(struct server *s, struct stream *st)
{
	if (st->ask->head) {
		struct answer_to to = answer_to(s, st->client, st->ask);
		finish(st->client, answer_stream_head(&to));
		return;
	}
	stream_admit(st);
}

static void deny(struct server *s, struct stream *st, size_t deciding,
		 const struct auth_verdict *verdict)
{
	struct answer_to to = answer_to(s, st->client, st->ask);
	struct span topic = st->ask->topics[deciding];
	char detail[ASK_DETAIL_BYTES];

	s->stats.failed++;
	snprintf(detail, sizeof(detail), "Not authorized to access topic: %.*s", (int)topic.len,
		 topic.at);
	finish(st->client,
	       answer_error(&to, verdict->status,
			    span_of(verdict->detail[0] ? verdict->detail : detail), NULL,
			    verdict->www_authenticate[0] ? verdict->www_authenticate : NULL));
}

static void on_verdict(void *arg, enum auth_outcome outcome, size_t deciding,
		       const struct auth_verdict *verdict)
{
	struct stream *st = arg;
	struct server *s = st->all->arg;

	st->auth = NULL;
	if (outcome == AUTH_ALLOW)
		admit(s, st);
	else if (outcome == AUTH_DENY)
		deny(s, st, deciding, verdict);
	else
		say_busy(s, st->client, st->ask,
			 "The authorization backend does not answer. Try again later.");
}

static void ask_permission(struct server *s, struct stream *st)
{
	char ip[64];

	if (!s->auth) {
		admit(s, st);
		return;
	}
	client_ip_format(&st->ip, ip);
	st->auth = auth_begin(s->auth, st->ask, st->ip.known ? ip : NULL, on_verdict, st);
	if (!st->auth)
		say_busy(s, st->client, st->ask,
			 "Too many requests wait for authorization. Try again later.");
}

static const char *claim_place(struct server *s, const struct client_ip *ip)
{
	uint64_t per_ip = s->config->max_connections_per_ip;

	if (s->stopping)
		return "The server is restarting. Try again later.";
	if (s->streams_claimed >= s->max_streams)
		return "Server connection limit reached. Try again later.";
	if (per_ip && ip_count_add(&s->ips, ip, per_ip) != 0)
		return "Connection limit of your address reached. Try again later.";
	s->streams_claimed++;
	return NULL;
}

static void release_place(struct server *s, const struct client_ip *ip)
{
	s->streams_claimed--;
	if (s->config->max_connections_per_ip)
		ip_count_remove(&s->ips, ip);
}

static void begin_stream(struct server *s, struct client *c, struct ask *ask,
			 const struct http_request *r)
{
	struct sockaddr_storage peer;
	struct client_ip ip = {.known = false};

	if (client_peer(c, &peer) == 0)
		ip = forwarded_client(s->config->trusted, s->config->n_trusted,
				      (const struct sockaddr *)&peer, r);
	const char *full = claim_place(s, &ip);
	if (full) {
		say_busy(s, c, ask, full);
		ask_free(ask);
		return;
	}
	struct stream *st = stream_new(&s->streams, c, ask, &ip);
	if (!st) {
		release_place(s, &ip);
		client_close(c, CLIENT_NO_MEMORY);
		return;
	}
	ask_permission(s, st);
}

static void on_request(void *arg, struct client *c, const struct http_request *r, struct span body,
		       char *input)
{
	struct server *s = arg;
	enum route_place place = c->admin                ? ROUTE_ADMIN
				 : s->config->admin_same ? ROUTE_BOTH
							 : ROUTE_PUBLIC;
	struct ask *ask = route(&s->route, place, r, body, input);

	if (!ask) {
		client_close(c, CLIENT_NO_MEMORY);
		return;
	}
	if (ask->kind == ASK_STREAM) {
		begin_stream(s, c, ask, r);
		return;
	}
	if (ask->kind == ASK_ERROR) {
		refuse_ask(s, c, ask);
	} else if (ask->kind == ASK_PREFLIGHT) {
		struct answer_to to = answer_to(s, c, ask);
		finish(c, answer_preflight(&to, "GET, HEAD, POST, OPTIONS"));
	} else {
		answer_admin(s, c, ask);
	}
	ask_free(ask);
}

static void on_closed(void *arg, struct client *c, enum client_reason reason)
{
	struct server *s = arg;
	struct stream *st = c->user;

	s->stats.closed[reason]++;
	if (st) {
		auth_cancel(st->auth);
		release_place(s, &st->ip);
		stream_free(st);
	}
	if (!s->stopping)
		for (size_t i = 0; i < s->n_listeners; i++)
			listener_resume(&s->listeners[i]);
	else if (s->clients.count == 1) /* this one */
		ev_break(s->loop, EVBREAK_ALL);
}

static const struct client_ops client_ops = {
	.request = on_request, .refuse = on_refuse, .closed = on_closed};

/* ---- Redis ---- */

static uint64_t on_subscribe(void *arg, struct span channel)
{
	struct server *s = arg;
	return redis_link_subscribe(s->redis, channel);
}

static void on_unsubscribe(void *arg, struct span channel)
{
	struct server *s = arg;
	redis_link_unsubscribe(s->redis, channel);
}

static bool on_ask_position(void *arg)
{
	struct server *s = arg;
	return redis_link_position(s->redis);
}

static const struct streams_ops streams_ops = {
	.subscribe = on_subscribe,
	.unsubscribe = on_unsubscribe,
	.ask_position = on_ask_position,
};

static void on_redis_up(void *arg)
{
	struct server *s = arg;
	streams_connected(&s->streams);
}

static void on_redis_down(void *arg)
{
	struct server *s = arg;
	streams_disconnected(&s->streams);
}

static void on_redis_confirmed(void *arg, uint64_t sequence)
{
	struct server *s = arg;
	streams_confirmed(&s->streams, sequence);
}

static void on_redis_refused(void *arg, uint64_t sequence)
{
	struct server *s = arg;
	streams_refused(&s->streams, sequence);
}

static void on_redis_message(void *arg, struct span channel, struct span payload)
{
	struct server *s = arg;
	streams_message(&s->streams, channel, payload);
}

static void on_redis_position(void *arg, bool ok, struct event_id id)
{
	struct server *s = arg;
	streams_position(&s->streams, ok, id);
}

static void on_redis_asking_up(void *arg)
{
	struct server *s = arg;
	streams_may_ask(&s->streams);
}

static const struct redis_link_ops redis_ops = {
	.subscriber_up = on_redis_up,
	.subscriber_down = on_redis_down,
	.confirmed = on_redis_confirmed,
	.refused = on_redis_refused,
	.message = on_redis_message,
	.position = on_redis_position,
	.asking_up = on_redis_asking_up,
};

/* ---- time and signals ---- */

static void on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct server *s = w->data;
	double now = clock_seconds();

	(void)loop, (void)revents;
	s->stats.loop_lag_seconds = now > s->next_tick ? now - s->next_tick : 0;
	s->next_tick = now + w->repeat;
	streams_tick(&s->streams);
}

static void on_position_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct server *s = w->data;
	(void)loop, (void)revents;
	redis_link_position(s->redis); /* when one is out already, its answer serves as well */
}

static void on_goodbye_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w, (void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void say_goodbye(struct server *s, struct client *c)
{
	struct stream *st = c->user;

	if (!st)
		return;
	if (st->state == STREAM_AUTHORISING) {
		auth_cancel(st->auth);
		st->auth = NULL;
		say_busy(s, c, st->ask, "The server is restarting. Try again later.");
	} else {
		stream_bye(st);
	}
}

static void begin_stop(struct server *s)
{
	s->stopping = true;
	for (size_t i = 0; i < s->config->n_listen; i++)
		listener_close(&s->listeners[i]);
	for (struct client *c = s->clients.first; c; c = c->next)
		say_goodbye(s, c);
	ev_timer_start(s->loop, &s->goodbye);
	if (s->clients.count == 0)
		ev_break(s->loop, EVBREAK_ALL);
}

static void on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct server *s = w->data;

	(void)revents;
	if (w->signum == SIGHUP) {
		log_warn("SIGHUP is ignored: settings are read at the start only");
	} else if (s->stopping) {
		ev_break(loop, EVBREAK_ALL);
	} else {
		log_info("stopping: %llu streams get sse.bye",
			 (unsigned long long)s->stats.streams_current);
		begin_stop(s);
	}
}

static void start_timers(struct server *s)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	const double tick = 1. / STREAMS_TICKS;

	for (size_t i = 0; i < 3; i++) {
		ev_signal_init(&s->signals[i], on_signal, numbers[i]);
		s->signals[i].data = s;
		ev_signal_start(s->loop, &s->signals[i]);
	}
	ev_timer_init(&s->tick, on_tick, tick, tick);
	ev_timer_init(&s->position, on_position_due, POSITION_SECONDS, POSITION_SECONDS);
	ev_timer_init(&s->goodbye, on_goodbye_over, GOODBYE_SECONDS, 0.);
	s->tick.data = s->position.data = s->goodbye.data = s;
	s->started = clock_seconds();
	s->next_tick = s->started + tick;
	ev_timer_start(s->loop, &s->tick);
	ev_timer_start(s->loop, &s->position);
}

/* ---- life ---- */

/* Raises the limit of descriptors to what max_connections needs, or lowers max_connections to what
 * there is. */
static void fit_descriptors(struct server *s)
{
	uint64_t reserved = RESERVED_FILES + s->config->auth_max_inflight + s->config->n_listen;
	uint64_t need = s->config->max_connections + reserved;
	struct rlimit limit;

	s->max_streams = s->config->max_connections;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < need) {
		limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
		if (limit.rlim_cur < need) {
			s->max_streams = limit.rlim_cur > reserved ? limit.rlim_cur - reserved : 1;
			log_warn("the limit of open files is %llu: at most %llu streams, not the "
				 "%llu of max_connections",
				 (unsigned long long)limit.rlim_cur,
				 (unsigned long long)s->max_streams,
				 (unsigned long long)s->config->max_connections);
		}
	}
	s->max_clients = s->max_streams + RESERVED_FILES / 2;
}

static int open_listener(struct server *s, const struct endpoint *at, bool admin)
{
	const char *why = NULL;
	char name[160];

	endpoint_format((const struct sockaddr *)&at->addr, at->addr_len, name, sizeof(name));
	if (listener_open(&s->listeners[s->n_listeners], s->loop, at, admin, on_accept, s, &why) !=
	    0) {
		log_error("cannot listen at %s: %s", name, why);
		return -1;
	}
	s->n_listeners++;
	log_info("%s at %s", admin ? "admin" : "streams", name);
	return 0;
}

static int open_listeners(struct server *s)
{
	const struct config *c = s->config;

	s->listeners = calloc(c->n_listen + 1, sizeof(*s->listeners));
	if (!s->listeners)
		return -1;
	for (size_t i = 0; i < c->n_listen; i++)
		if (open_listener(s, &c->listen[i], false) != 0)
			return -1;
	return c->admin_same ? 0 : open_listener(s, &c->admin, true);
}

static int start_modules(struct server *s)
{
	const struct config *c = s->config;
	struct clients_config clients = {
		.request_seconds = REQUEST_SECONDS,
		.max_body = ROUTE_MAX_BODY,
		.max_queue_size = c->max_queue_size,
		.max_queue_bytes = c->max_queue_bytes,
		.delivery = &s->stats.delivery_seconds,
	};
	struct streams_config streams = {
		.topic_prefix = c->topic_prefix,
		.max_message_size = c->max_message_size,
		.heartbeat_seconds = c->heartbeat_seconds,
		.heartbeat_event = c->heartbeat_event,
		.retry_ms = c->retry_ms,
		.drain_ms = c->drain_ms,
		.cors = &c->cors,
	};
	struct auth_config auth = {
		.url = c->auth_url,
		.timeout_ms = c->auth_timeout_ms,
		.max_inflight = c->auth_max_inflight,
		.max_waiting = c->auth_max_waiting,
	};
	struct redis_link_config redis = {
		.url = &c->redis,
		.topic_prefix = c->topic_prefix,
		.timeout_ms = c->redis_timeout_ms,
		.max_message = c->max_message_size,
	};

	clients_init(&s->clients, s->loop, &clients, &client_ops, s);
	if (streams_init(&s->streams, &streams, &streams_ops, s, &s->stats) != 0)
		return -1;
	if (!c->auth_public && !(s->auth = auth_new(s->loop, &auth, &s->stats)))
		return -1;
	s->redis = redis_link_new(s->loop, &redis, &redis_ops, s);
	return s->redis ? 0 : -1;
}

struct server *server_new(const struct config *config)
{
	struct server *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->config = config;
	s->route = (struct route_config){
		.sse_path = config->sse_path,
		.max_topics = config->max_topics,
		.forward = config->forward_headers,
		.n_forward = config->n_forward_headers,
	};
	ip_count_init(&s->ips);
	s->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!s->loop) {
		log_error("cannot start the event loop");
		free(s);
		return NULL;
	}
	fit_descriptors(s);
	if (start_modules(s) != 0 || open_listeners(s) != 0) {
		server_free(s);
		return NULL;
	}
	start_timers(s);
	return s;
}

int server_run(struct server *s)
{
	ev_run(s->loop, 0);
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	s->stopping = true;
	for (size_t i = 0; i < s->n_listeners; i++)
		listener_close(&s->listeners[i]);
	free(s->listeners);
	if (s->clients.ops)
		clients_done(&s->clients);
	auth_free(s->auth);
	redis_link_free(s->redis);
	streams_done(&s->streams);
	ip_count_done(&s->ips);
	ev_loop_destroy(s->loop);
	free(s);
}
