/* server: the wiring; the only file that knows everybody. The callbacks stand in the order in which
 * a listener and then a message meet them:
 *
 *   on_accept → (client.c reads) → on_request → route → entrance.c (place, verdict) → stream_admit
 *   redis_link → on_redis_message … → streams.c → hub → client_push → (client.c flushes
 * at the end of the turn) on_closed → stream_free
 *
 * Owns the loop, the listeners, the timers and the signal, and every module's object. The worker's
 * process and what it shares with the others are supervisor.c's. */
#include "streamer/server.h"

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include "common/log.h"
#include "common/settings.h"
#include "streamer/admin.h"
#include "streamer/ask.h"
#include "streamer/auth.h"
#include "streamer/client.h"
#include "streamer/clock.h"
#include "streamer/config.h"
#include "streamer/crew.h"
#include "streamer/entrance.h"
#include "streamer/figures.h"
#include "streamer/listeners.h"
#include "streamer/pulse.h"
#include "streamer/recheck.h"
#include "streamer/reception.h"
#include "streamer/redis_link.h"
#include "streamer/route.h"
#include "streamer/shared.h"
#include "streamer/spread.h"
#include "streamer/streams.h"
#include "streamer/streams_redis.h"

#define REQUEST_SECONDS 5.
#define GOODBYE_SECONDS                                                                            \
	.7                  /* the most that a stop may take: who reads nothing is not waited for  \
			     */
#define POSITION_SECONDS 2. /* how often a position is taken when no listener asks for one */
#define BUSY_LOW_MS      5000u
#define BUSY_HIGH_MS     30000u

struct server {
	const struct config *config;
	struct server_place at;
	struct ev_loop *loop;
	struct listeners listeners;
	struct clients clients;
	struct streams streams;
	struct auth *auth; /* NULL: no auth URL is asked */
	struct streams_redis *redis;
	struct entrance entrance;
	struct recheck recheck;
	struct stats *stats; /* in the memory that all workers share */
	struct figures figures;
	struct reception reception;
	struct admin admin;
	struct route_config route;
	uint64_t max_clients; /* connections of every kind; above it nobody is accepted but at
				 admin_listen */
	double next_tick;
	ev_timer tick, position, spread, goodbye;
	ev_signal asked_to_stop;
	bool stopping;
};

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
	reception_refuse(&s->reception, c, error, r);
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
	switch (ask->kind) {
	case ASK_STREAM: entrance_begin(&s->entrance, c, ask, r); return;
	case ASK_ERROR: reception_refuse_ask(&s->reception, c, ask); break;
	case ASK_PREFLIGHT: reception_preflight(&s->reception, c, ask); break;
	default: admin_answer(&s->admin, c, ask); return;
	}
	ask_free(ask);
}

static void on_closed(void *arg, struct client *c, enum client_reason reason)
{
	struct server *s = arg;
	struct stream *st = c->user;

	s->stats->closed[reason]++;
	admin_forget(&s->admin, c);
	if (st)
		entrance_leave(&s->entrance, st);
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

/* ---- time, and the end of it ---- */

static void on_tick(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct server *s = w->data;
	double now = clock_seconds();

	(void)loop, (void)revents;
	s->stats->loop_lag_seconds = now > s->next_tick ? now - s->next_tick : 0;
	s->next_tick = now + w->repeat;
	pulse_tick(&s->streams);
	recheck_tick(&s->recheck);
	figures_tick(&s->figures);
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
	if (st->admitted)
		stream_bye(st);
	else
		entrance_send_away(&s->entrance, st);
}

static void begin_stop(struct server *s)
{
	s->stopping = s->figures.stopping = s->entrance.closed = true;
	figures_say_state(&s->figures);
	listeners_close_public(&s->listeners);
	for (struct client *c = s->clients.first; c; c = c->next)
		say_goodbye(s, c);
	ev_timer_start(s->loop, &s->goodbye);
	if (s->clients.count == 0)
		ev_break(s->loop, EVBREAK_ALL);
}

/* Once is enough, and twice no more: whoever stops the supervisor may send it to all processes. */
static void on_asked_to_stop(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct server *s = w->data;

	(void)loop, (void)revents;
	if (s->stopping)
		return;
	log_info("stopping: %llu streams get sse.bye",
		 (unsigned long long)s->stats->streams_current);
	begin_stop(s);
}

static void start_timers(struct server *s)
{
	const double tick = 1. / PULSE_TICKS;

	ev_signal_init(&s->asked_to_stop, on_asked_to_stop, SIGTERM);
	ev_timer_init(&s->tick, on_tick, tick, tick);
	ev_timer_init(&s->position, on_position_due, POSITION_SECONDS, POSITION_SECONDS);
	ev_timer_init(&s->spread, on_spread, SPREAD_TICK_MS / 1000., SPREAD_TICK_MS / 1000.);
	ev_timer_init(&s->goodbye, on_goodbye_over, GOODBYE_SECONDS, 0.);
	s->asked_to_stop.data = s->tick.data = s->position.data = s->spread.data = s->goodbye.data =
		s;
	s->next_tick = clock_seconds() + tick;
	ev_signal_start(s->loop, &s->asked_to_stop);
	ev_timer_start(s->loop, &s->tick);
	ev_timer_start(s->loop, &s->position);
}

/* ---- life ---- */

static int start_streams(struct server *s)
{
	const struct config *c = s->config;
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
		.seen = &s->at.shared->seen,
	};
	struct redis_link_config redis = {
		.login = &c->redis,
		.topic_prefix = c->topic_prefix,
		.partitions = c->partitions,
		.timeout_ms = c->redis_timeout_ms,
		.max_message = c->max_message_size,
	};

	if (streams_init(&s->streams, &streams, s->stats) != 0)
		return -ENOMEM;
	s->streams.on_held = on_held;
	s->streams.held_owner = s;
	s->redis = streams_redis_new(s->loop, &redis, &s->streams);
	return s->redis ? 0 : -ENOMEM;
}

static int start_auth(struct server *s)
{
	const struct config *c = s->config;
	unsigned workers = s->at.shared->workers;
	struct auth_config auth = {
		.url = c->auth_url,
		.timeout_ms = c->auth_timeout_ms,
		.max_inflight = crew_share(c->auth_max_inflight, workers, s->at.number),
		.max_waiting = crew_share(c->auth_max_waiting, workers, s->at.number),
		.batch = c->auth_batch,
	};

	if (c->auth_by_url)
		s->auth = auth_new(s->loop, &auth, s->stats);
	return s->auth || !c->auth_by_url ? 0 : -ENOMEM;
}

static void start_clients(struct server *s)
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
		.delivery = &s->stats->delivery_seconds,
	};

	clients_init(&s->clients, s->loop, &clients, &client_ops, s);
}

static void start_admin(struct server *s)
{
	s->reception = (struct reception){.cors = &s->config->cors, .stats = s->stats};
	s->figures = (struct figures){
		.clients = &s->clients,
		.streams = &s->streams,
		.redis = s->redis,
		.places = &s->entrance.places,
		.auth = s->auth,
		.shared = s->at.shared,
		.worker = s->at.number,
	};
	figures_init(&s->figures);
	admin_init(&s->admin, s->loop, &s->figures, &s->reception);
}

static void open_entrance(struct server *s)
{
	const struct config *c = s->config;

	s->entrance = (struct entrance){
		.config = c,
		.reception = &s->reception,
		.streams = &s->streams,
		.auth = s->auth,
		.tickets = s->at.tickets,
		.places =
			{
				.shared = s->at.shared,
				.worker = s->at.number,
				.limit = c->max_connections,
				.limit_here = s->at.max_streams,
				.limit_per_ip = c->max_connections_per_ip,
			},
	};
	entrance_open(&s->entrance);
}

/* New listeners have at least half of the line for themselves. */
static void start_recheck(struct server *s)
{
	const struct config *c = s->config;

	s->recheck = (struct recheck){
		.streams = &s->streams,
		.auth = s->auth,
		.seconds = c->auth_recheck_seconds,
		.patience = c->auth_timeout_ms / 1000.,
		.max_waiting =
			crew_share(c->auth_max_waiting, s->at.shared->workers, s->at.number) / 2,
	};
	s->streams.recheck = &s->recheck;
}

static int start_modules(struct server *s)
{
	start_clients(s);
	if (start_auth(s) != 0 || start_streams(s) != 0)
		return -ENOMEM;
	open_entrance(s);
	start_recheck(s);
	start_admin(s);
	return listeners_start(&s->listeners, s->loop, s->at.sockets, s->at.number, on_accept, s);
}

static void configure(struct server *s)
{
	const struct config *c = s->config;

	s->route = (struct route_config){
		.sse_path = c->sse_path,
		.max_topics = c->max_topics,
		.cluster = c->partitions > 0,
		.forward = c->forward_headers,
		.n_forward = c->n_forward_headers,
		.ticket_cookie = c->auth_by_ticket ? c->ticket_cookie : NULL,
	};
	s->max_clients = s->at.max_streams + CREW_SHORT_ANSWERS;
	s->stats = &s->at.shared->slots[s->at.number].stats;
}

struct server *server_new(const struct config *config, const struct server_place *at)
{
	struct server *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->config = config;
	s->at = *at;
	configure(s);
	s->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!s->loop) {
		log_error("cannot start the event loop");
		free(s);
		return NULL;
	}
	if (start_modules(s) != 0) {
		log_error("cannot start: out of memory");
		server_free(s);
		return NULL;
	}
	start_timers(s);
	figures_say_state(&s->figures);
	return s;
}

int server_run(struct server *s, const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL); /* now that it is known what to do at SIGTERM */
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
	admin_done(&s->admin);
	auth_free(s->auth);
	streams_redis_free(s->redis);
	streams_done(&s->streams);
	ev_loop_destroy(s->loop);
	free(s);
}
