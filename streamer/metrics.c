/* metrics: formats figures; counts none. */
#include "streamer/metrics.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include "common/buf.h"
#include "streamer/client.h"
#include "streamer/stats.h"
#include "streamer/topic_report.h"

static const char *const reasons[CLIENT_REASONS] = {
	[CLIENT_PEER_GONE] = "peer_gone", [CLIENT_ANSWERED] = "answered",
	[CLIENT_SLOW] = "slow",           [CLIENT_NOISY] = "noisy",
	[CLIENT_NO_MEMORY] = "no_memory", [CLIENT_SHUTDOWN] = "shutdown",
};

const char *metrics_health(const struct metrics_view *v)
{
	const struct stats *s = &v->stats->sum;

	if (s->redis_away)
		return "unhealthy";
	if (s->dropped * 10 > s->delivered || s->redis_errors > 10)
		return "degraded";
	return "healthy";
}

/* ---- JSON ---- */

static void add_number(struct json_object *to, const char *name, uint64_t value)
{
	json_object_object_add(to, name, json_object_new_int64((int64_t)value));
}

static void add_double(struct json_object *to, const char *name, double value)
{
	char text[40];
	snprintf(text, sizeof(text), "%.3f", value);
	json_object_object_add(to, name, json_object_new_double_s(value, text));
}

static struct json_object *add_object(struct json_object *to, const char *name)
{
	struct json_object *o = json_object_new_object();
	json_object_object_add(to, name, o);
	return o;
}

static void add_topics(struct json_object *root, const struct metrics_view *v)
{
	struct json_object *topics = add_object(root, "topics");

	add_number(topics, "active", v->topics->active);
	struct json_object *by_topic = add_object(topics, "subscribers_by_topic");
	for (size_t i = 0; i < v->topics->n; i++)
		add_number(by_topic, v->topics->largest[i].name, v->topics->largest[i].listeners);
}

static void add_connections(struct json_object *root, const struct stats *s)
{
	struct json_object *o = add_object(root, "connections");

	add_number(o, "current", s->streams_current);
	add_number(o, "total", s->streams_total);
	add_number(o, "failed", s->failed);
	add_number(o, "rejected", s->rejected);
}

static void add_messages(struct json_object *root, const struct stats *s)
{
	struct json_object *o = add_object(root, "messages");

	add_number(o, "published", s->published);
	add_number(o, "delivered", s->delivered);
	add_number(o, "dropped", s->dropped);
	add_number(o, "publish_errors", s->malformed);
}

static void add_rest(struct json_object *root, const struct metrics_view *v)
{
	struct json_object *o = add_object(root, "performance");
	add_double(o, "avg_publish_latency_ms", v->stats->latency_average_ms);
	add_double(o, "p95_publish_latency_ms", v->stats->latency_p95_ms);
	o = add_object(root, "redis");
	add_number(o, "reconnects", v->stats->sum.redis_reconnects);
	add_number(o, "errors", v->stats->sum.redis_errors);
	json_object_object_add(root, "health", json_object_new_string(metrics_health(v)));
}

int metrics_json(const struct metrics_view *v, struct buf *b)
{
	struct json_object *root = json_object_new_object();
	if (!root)
		return -ENOMEM;
	add_double(root, "uptime_seconds", v->uptime_seconds);
	add_connections(root, &v->stats->sum);
	add_messages(root, &v->stats->sum);
	add_topics(root, v);
	add_rest(root, v);
	const char *text = json_object_to_json_string_ext(
		root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	int err = text ? buf_append_str(b, text) : -ENOMEM;
	json_object_put(root);
	return err;
}

/* ---- Prometheus ---- */

static int head(struct buf *b, const char *name, const char *type, const char *help)
{
	return buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static int whole(struct buf *b, const char *name, const char *type, const char *help,
		 uint64_t value)
{
	int err = head(b, name, type, help);
	return err | buf_printf(b, "%s %llu\n", name, (unsigned long long)value);
}

static int real(struct buf *b, const char *name, const char *help, double value)
{
	int err = head(b, name, "gauge", help);
	return err | buf_printf(b, "%s %.6f\n", name, value);
}

static int histogram(struct buf *b, const char *name, const char *help, const struct histogram *h)
{
	uint64_t below = 0;
	int err = head(b, name, "histogram", help);

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		below += h->buckets[i];
		err |= buf_printf(b, "%s_bucket{le=\"%g\"} %llu\n", name, histogram_bounds[i],
				  (unsigned long long)below);
	}
	err |= buf_printf(b, "%s_bucket{le=\"+Inf\"} %llu\n", name, (unsigned long long)h->count);
	return err | buf_printf(b, "%s_sum %.6f\n%s_count %llu\n", name, h->sum, name,
				(unsigned long long)h->count);
}

static int library_names(const struct metrics_view *v, struct buf *b)
{
	const struct stats *s = &v->stats->sum;
	int err = 0;

	err |= whole(b, "sse_connections_current", "gauge", "Open event streams.",
		     s->streams_current);
	err |= whole(b, "sse_connections_total", "counter", "Event streams since the start.",
		     s->streams_total);
	err |= whole(b, "sse_connections_rejected", "counter",
		     "Requests turned away by a limit or as busy.", s->rejected);
	err |= whole(b, "sse_messages_published", "counter",
		     "Events received from Redis, by however many workers.", s->published);
	err |= whole(b, "sse_messages_delivered", "counter", "Events sent to listeners.",
		     s->delivered);
	err |= whole(b, "sse_messages_dropped", "counter", "Events that slow clients did not get.",
		     s->dropped);
	err |= whole(b, "sse_messages_conflated", "counter",
		     "Waiting events that a later one of their key replaced.", s->conflated);
	err |= whole(b, "sse_publish_errors", "counter", "Messages from Redis that were no event.",
		     s->malformed);
	err |= whole(b, "sse_topics_active", "gauge",
		     "Topics with at least one listener; of several workers within about 1 %.",
		     v->topics->active);
	err |= real(b, "sse_publish_latency_ms",
		    "Mean time from an event's id to its arrival, last 100 events of each worker.",
		    v->stats->latency_average_ms);
	err |= whole(b, "sse_redis_reconnects", "counter",
		     "Times the subscriptions were lost and made anew.", s->redis_reconnects);
	return err | whole(b, "sse_redis_errors", "counter",
			   "Failed connections and errors of Redis.", s->redis_errors);
}

static int labelled(const struct metrics_view *v, struct buf *b)
{
	const struct stats *s = &v->stats->sum;
	int err = head(b, "sse_connections_closed", "counter", "Ended connections by reason.");

	for (size_t i = 0; i < CLIENT_REASONS; i++)
		err |= buf_printf(b, "sse_connections_closed{reason=\"%s\"} %llu\n", reasons[i],
				  (unsigned long long)s->closed[i]);
	err |= head(b, "sse_auth_calls", "counter", "Answered calls to the auth URL by outcome.");
	err |= buf_printf(b, "sse_auth_calls{outcome=\"allow\"} %llu\n",
			  (unsigned long long)s->auth[AUTH_ALLOW]);
	err |= buf_printf(b, "sse_auth_calls{outcome=\"deny\"} %llu\n",
			  (unsigned long long)s->auth[AUTH_DENY]);
	return err | buf_printf(b, "sse_auth_calls{outcome=\"busy\"} %llu\n",
				(unsigned long long)s->auth[AUTH_BUSY]);
}

static int tickets(const struct metrics_view *v, struct buf *b)
{
	const struct stats *s = &v->stats->sum;
	int err = head(b, "sse_tickets", "counter", "Requests with a ticket by outcome.");

	err |= buf_printf(b, "sse_tickets{outcome=\"allow\"} %llu\n",
			  (unsigned long long)s->tickets_allowed);
	err |= buf_printf(b, "sse_tickets{outcome=\"deny\"} %llu\n",
			  (unsigned long long)s->tickets_denied);
	err |= buf_printf(b, "sse_tickets{outcome=\"expired\"} %llu\n",
			  (unsigned long long)s->tickets_expired);
	return err | whole(b, "sse_streams_expired", "counter",
			   "Streams that ended with their ticket.", s->expired);
}

static int refusals(const struct metrics_view *v, struct buf *b)
{
	const struct stats *s = &v->stats->sum;
	int err = head(
		b, "sse_refusals", "counter",
		"Listeners who were kept out, or topics that were taken from them, by reason.");

	for (size_t i = 0; i < REFUSAL_REASONS; i++)
		err |= buf_printf(b, "sse_refusals{reason=\"%s\"} %llu\n",
				  stats_refusal((enum refusal_reason)i),
				  (unsigned long long)s->refused[i]);
	err |= whole(b, "sse_controls", "counter", "Control messages.", s->controls);
	err |= whole(b, "sse_topics_revoked", "counter", "Topics that open streams lost.",
		     s->revoked);
	err |= whole(b, "sse_revocations", "gauge", "Revocations in force, counted in each worker.",
		     s->revocations);
	return err | whole(b, "sse_auth_kept_bytes", "gauge",
			   "What is kept of requests to ask the auth URL about open streams.",
			   s->kept_bytes);
}

static int own_names(const struct metrics_view *v, struct buf *b)
{
	const struct stats *s = &v->stats->sum;
	int err = labelled(v, b);

	err |= tickets(v, b);
	err |= refusals(v, b);

	err |= whole(b, "sse_connections_open", "gauge", "Open connections of every kind.",
		     s->connections);
	err |= whole(b, "sse_requests_failed", "counter",
		     "Requests that were malformed, too slow or not allowed.", s->failed);
	err |= whole(b, "sse_messages_foreign", "counter",
		     "Events of other publishers, delivered without an id.", s->published_foreign);
	err |= whole(b, "sse_messages_copies", "counter", "Copies of events that were passed over.",
		     s->copies);
	err |= whole(b, "sse_resets", "counter", "sse.reset sent to listeners.", s->resets);
	err |= whole(b, "sse_resumes", "counter", "Streams that went on at their cursor.",
		     s->resumed);
	err |= whole(b, "sse_replayed", "counter", "Missed events that were sent to them.",
		     s->replayed);
	err |= whole(b, "sse_holes", "counter",
		     "Events that Redis had published and that did not come, as was found later.",
		     s->holes);
	err |= whole(b, "sse_log_questions", "counter", "Questions to the logs in Redis.",
		     s->log_questions);
	err |= whole(b, "sse_auth_reused", "counter",
		     "Calls to the auth URL saved by an answer it had given before.",
		     s->auth_reused);
	err |= whole(b, "sse_auth_joined", "counter",
		     "Calls to the auth URL saved by an equal one under way.", s->auth_joined);
	err |= whole(b, "sse_auth_inflight", "gauge", "Calls to the auth URL under way.",
		     s->auth_inflight);
	err |= whole(b, "sse_auth_waiting", "gauge", "Calls to the auth URL in line.",
		     s->auth_waiting);
	err |= whole(b, "sse_auth_breaker_open", "gauge",
		     "Workers that leave the auth URL alone since it fails.", s->auth_broken);
	err |= whole(b, "sse_redis_up", "gauge", "1 while all workers are connected to Redis.",
		     !s->redis_away);
	err |= whole(b, "sse_log_lines_dropped", "counter",
		     "Log lines that could not be written at once.", s->log_dropped);
	err |= whole(b, "sse_memory_resident_bytes", "gauge", "Memory of the workers in RAM.",
		     s->resident_bytes);
	err |= whole(b, "sse_workers", "gauge", "Workers, each a process.", v->workers);
	err |= whole(b, "sse_worker_restarts", "counter",
		     "Workers that took the place of one that had ended by itself.", v->restarts);
	err |= real(b, "sse_uptime_seconds", "Seconds since the start.", v->uptime_seconds);
	err |= real(b, "sse_loop_lag_seconds",
		    "How late the last tick of the worst worker's clock was served.",
		    s->loop_lag_seconds);
	err |= histogram(b, "sse_auth_seconds", "Time of the calls to the auth URL.",
			 &s->auth_seconds);
	return err | histogram(b, "sse_delivery_seconds",
			       "Time from Redis's socket to the end of a turn's writes.",
			       &s->delivery_seconds);
}

int metrics_prometheus(const struct metrics_view *v, struct buf *b)
{
	int err = library_names(v, b);
	return err | own_names(v, b);
}
