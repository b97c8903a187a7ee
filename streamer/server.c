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
#include <time.h>
#include "common/log.h"
#include "common/partition.h"
#include "common/settings.h"
#include "streamer/admin.h"
#include "streamer/admission.h"
#include "streamer/answer.h"
#include "streamer/auth.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/config.h"
#include "streamer/descriptors.h"
#include "streamer/jitter.h"
#include "streamer/listeners.h"
#include "streamer/places.h"
#include "streamer/pulse.h"
#include "streamer/redis_link.h"
#include "streamer/route.h"
#include "streamer/spread.h"
#include "streamer/stats.h"
#include "streamer/streams.h"
#include "streamer/streams_redis.h"

#define REQUEST_SECONDS 5.
#define GOODBYE_SECONDS                                                                            \
	.7                  /* the most that a stop may take: who reads nothing is not waited for  \
			     */
#define POSITION_SECONDS 2. /* how often a position is taken when no listener asks for one */
#define RESERVED_FILES                                                                             \
	128 /* descriptors for Redis, listeners, the log, and connections that get a short answer  \
	     */
#define BUSY_LOW_MS  5000u
#define BUSY_HIGH_MS 30000u

struct server {
	const struct config *config;
	struct ev_loop *loop;
	struct listeners listeners;
	struct clients clients;
	struct streams streams;
	struct auth *auth; /* NULL: public */
	struct streams_redis *redis;
	struct places places; /* of streams, and of those who wait for their verdict */
	struct stats stats;
	struct route_config route;
	uint64_t max_clients; /* connections of every kind; above it nobody is accepted but at
				 admin_listen */
	double started, next_tick;
	ev_timer tick, position, spread, goodbye;
	ev_signal signals[3];
	bool stopping;
};

static const char restarting[] = "The server is restarting. Try again later.";

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
	if (s->clients.count >= s->max_clients)
		listeners_rest(&s->listeners);
}

static void on_refuse(void *arg, struct client *c, const struct http_error *error,
		      const struct http_request *r)
{
	struct server *s = arg;
	struct answer_to to = answer_to(s, c, NULL);

	if (r)
		to.origin = http_request_header(r, "Origin");
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
	const struct hub *hubs[PARTITION_MAX];

	for (unsigned i = 0; i < s->streams.n_partitions; i++)
		hubs[i] = &s->streams.partitions[i].hub;
	struct admin_view view = {
		.metrics =
			{
				.stats = &s->stats,
				.hubs = hubs,
				.n_hubs = s->streams.n_partitions,
				.uptime_seconds = clock_seconds() - s->started,
				.connections = s->clients.count,
				.delivered = s->clients.events_sent,
				.dropped = s->clients.events_dropped,
				.redis_reconnects = streams_redis_reconnects(s->redis),
				.log_questions = streams_redis_questions(s->redis),
				.redis_errors = streams_redis_errors(s->redis),
				.redis_ready = streams_redis_ready(s->redis),
				.auth_inflight = s->auth ? auth_inflight(s->auth) : 0,
				.auth_waiting = s->auth ? auth_waiting(s->auth) : 0,
				.log_dropped = log_dropped(),
			},
		.stopping = s->stopping,
		.full = places_full(&s->places),
	};
	finish(c, admin_answer(ask->kind, &to, &view));
}

/* ---- a stream and its verdict ---- */

static void give_back_place(void *owner, struct stream *st)
{
	struct server *s = owner;

	if (st->has_place)
		places_give_back(&s->places, &st->ip);
	st->has_place = false;
}

/* It will be no stream: its place is free while the answer is on its way. */
static void forget(struct server *s, struct stream *st)
{
	st->client->user = NULL;
	give_back_place(s, st);
	stream_free(st);
}

static void turn_away(struct server *s, struct stream *st, const char *detail)
{
	say_busy(s, st->client, st->ask, detail);
	forget(s, st);
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
	forget(s, st);
}

static void on_verdict(void *arg, enum auth_outcome outcome, size_t deciding,
		       const struct auth_verdict *verdict)
{
	struct stream *st = arg;
	struct server *s = st->client->all->arg;

	st->auth = NULL;
	if (outcome == AUTH_ALLOW)
		stream_admit(st);
	else if (outcome == AUTH_DENY)
		deny(s, st, deciding, verdict);
	else
		turn_away(s, st, "The authorization backend does not answer. Try again later.");
}

static void ask_permission(struct server *s, struct stream *st)
{
	char ip[64];

	if (!s->auth) {
		stream_admit(st);
		return;
	}
	client_ip_format(&st->ip, ip);
	st->auth = auth_begin(s->auth, st->ask, st->ip.known ? ip : NULL, on_verdict, st);
	if (!st->auth)
		turn_away(s, st, "Too many requests wait for authorization. Try again later.");
}

static void begin_stream(struct server *s, struct client *c, struct ask *ask,
			 const struct http_request *r)
{
	struct sockaddr_storage peer;
	struct client_ip ip = {.known = false};

	if (client_peer(c, &peer) == 0)
		ip = forwarded_client(s->config->trusted, s->config->n_trusted,
				      (const struct sockaddr *)&peer, r);
	const char *full = s->stopping ? restarting : places_take(&s->places, &ip);
	if (full) {
		say_busy(s, c, ask, full);
		ask_free(ask);
		return;
	}
	struct stream *st = stream_new(&s->streams, c, ask, &ip);
	if (!st) {
		places_give_back(&s->places, &ip);
		client_close(c, CLIENT_NO_MEMORY);
		return;
	}
	st->has_place = true;
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
		give_back_place(s, st);
		stream_free(st);
	}
	if (!s->stopping && s->clients.count <= s->max_clients) /* this one still counts */
		listeners_resume(&s->listeners);
	else if (s->stopping && s->clients.count == 1)
		ev_break(s->loop, EVBREAK_ALL);
}

static void on_empty(void *arg, struct client *c)
{
	(void)arg;
	if (c->user)
		stream_empty(c->user);
}

static const struct client_ops client_ops = {
	.request = on_request, .refuse = on_refuse, .empty = on_empty, .closed = on_closed};

/* ---- time and signals ---- */

static void on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct server *s = w->data;
	double now = clock_seconds();

	(void)loop, (void)revents;
	s->stats.loop_lag_seconds = now > s->next_tick ? now - s->next_tick : 0;
	s->next_tick = now + w->repeat;
	pulse_tick(&s->streams);
}

static void on_position_due(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct server *s = w->data;
	(void)loop, (void)revents;
	streams_take_position(&s->streams);
}

static void on_spread(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct server *s = w->data;
	(void)revents;
	if (!spread_tick(&s->streams))
		ev_timer_stop(loop, w);
}

static void on_held(void *owner)
{
	struct server *s = owner;

	ev_timer_again(s->loop, &s->spread);
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
	if (!st->admitted) {
		auth_cancel(st->auth);
		st->auth = NULL;
		turn_away(s, st, restarting);
	} else {
		stream_bye(st);
	}
}

static void begin_stop(struct server *s)
{
	s->stopping = true;
	listeners_close_public(&s->listeners);
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
	const double tick = 1. / PULSE_TICKS;

	for (size_t i = 0; i < 3; i++) {
		ev_signal_init(&s->signals[i], on_signal, numbers[i]);
		s->signals[i].data = s;
		ev_signal_start(s->loop, &s->signals[i]);
	}
	ev_timer_init(&s->tick, on_tick, tick, tick);
	ev_timer_init(&s->position, on_position_due, POSITION_SECONDS, POSITION_SECONDS);
	ev_timer_init(&s->spread, on_spread, SPREAD_TICK_MS / 1000., SPREAD_TICK_MS / 1000.);
	ev_timer_init(&s->goodbye, on_goodbye_over, GOODBYE_SECONDS, 0.);
	s->tick.data = s->position.data = s->spread.data = s->goodbye.data = s;
	s->started = clock_seconds();
	s->next_tick = s->started + tick;
	ev_timer_start(s->loop, &s->tick);
	ev_timer_start(s->loop, &s->position);
}

/* ---- life ---- */

static int start_modules(struct server *s)
{
	static const enum client_policy policies[] = {
		[SLOW_RESUME] = CLIENT_RESUMES,
		[SLOW_CONFLATE] = CLIENT_CONFLATES,
		[SLOW_DROP] = CLIENT_DROPS,
	};
	const struct config *c = s->config;
	struct clients_config clients = {
		.request_seconds = REQUEST_SECONDS,
		.max_body = ROUTE_MAX_BODY,
		.max_queue_size = c->max_queue_size,
		.max_queue_bytes = c->max_queue_bytes,
		.slow = policies[c->slow_client],
		.delivery = &s->stats.delivery_seconds,
	};
	struct streams_config streams = {
		.topic_prefix = c->topic_prefix,
		.partitions = c->partitions,
		.max_message_size = c->max_message_size,
		.heartbeat_seconds = c->heartbeat_seconds,
		.heartbeat_event = c->heartbeat_event,
		.retry_ms = c->retry_ms,
		.drain_ms = c->drain_ms,
		.spread_ms = c->spread_ms,
		.cors = &c->cors,
	};
	struct auth_config auth = {
		.url = c->auth_url,
		.timeout_ms = c->auth_timeout_ms,
		.max_inflight = c->auth_max_inflight,
		.max_waiting = c->auth_max_waiting,
	};
	struct redis_link_config redis = {
		.login = &c->redis,
		.topic_prefix = c->topic_prefix,
		.partitions = c->partitions,
		.timeout_ms = c->redis_timeout_ms,
		.max_message = c->max_message_size,
	};

	clients_init(&s->clients, s->loop, &clients, &client_ops, s);
	if (streams_init(&s->streams, &streams, &s->stats) != 0)
		return -1;
	s->streams.poll_answered = give_back_place;
	s->streams.on_held = on_held;
	s->streams.owner = s;
	if (!c->auth_public && !(s->auth = auth_new(s->loop, &auth, &s->stats)))
		return -1;
	s->redis = streams_redis_new(s->loop, &redis, &s->streams);
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
		.cluster = config->partitions > 0,
		.forward = config->forward_headers,
		.n_forward = config->n_forward_headers,
	};
	uint64_t reserved = RESERVED_FILES + config->auth_max_inflight + config->n_listen;
	places_init(&s->places, descriptors_fit(config->max_connections, reserved),
		    config->max_connections_per_ip);
	s->max_clients = s->places.limit + RESERVED_FILES / 2;
	s->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!s->loop) {
		log_error("cannot start the event loop");
		free(s);
		return NULL;
	}
	if (start_modules(s) != 0 ||
	    listeners_open(&s->listeners, s->loop, config, on_accept, s) != 0) {
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
	listeners_close(&s->listeners);
	if (s->clients.ops)
		clients_done(&s->clients);
	auth_free(s->auth);
	streams_redis_free(s->redis);
	streams_done(&s->streams);
	places_done(&s->places);
	ev_loop_destroy(s->loop);
	free(s);
}
