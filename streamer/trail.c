/* trail: words for the log. Counts in the worker's stats. */
#include "streamer/trail.h"

#include <stdio.h>
#include "common/buf.h"
#include "common/control.h"
#include "common/log.h"
#include "streamer/clock.h"
#include "streamer/forwarded.h"
#include "streamer/stream.h"

#define QUOTED_BYTES (2 * CONTROL_USER_BYTES)

/* `, name "value"`, quoted; nothing where there is none. */
static const char *named(const char *name, struct span value, char *out, size_t size)
{
	char quoted[QUOTED_BYTES];

	out[0] = '\0';
	if (value.at)
		snprintf(out, size, ", %s %s", name,
			 log_quote(value.at, value.len, quoted, sizeof(quoted)));
	return out;
}

static const char *answered(const struct refusal *r, char *out, size_t size)
{
	double ms = r->asked > 0 ? (clock_seconds() - r->asked) * 1000. : 0;

	out[0] = '\0';
	if (r->status > 0)
		snprintf(out, size, ", auth_url answered %u after %.0f ms", r->status, ms);
	else if (r->asked > 0)
		snprintf(out, size, ", auth_url gave no verdict in %.0f ms", ms);
	return out;
}

void trail_counted(const struct stream *st, enum refusal_reason reason)
{
	st->all->stats->refused[reason]++;
}

void trail_refused(const struct stream *st, const struct refusal *r)
{
	char topic[QUOTED_BYTES + 16], user[QUOTED_BYTES + 16], answer[80], client[64];

	trail_counted(st, r->reason);
	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	client_ip_format(&st->ip, client);
	log_info("refused (%s%s%s): client %s%s%s%s", stats_refusal(r->reason), r->why ? ": " : "",
		 r->why ? r->why : "", client, named("topic", r->topic, topic, sizeof(topic)),
		 named("user", r->user, user, sizeof(user)), answered(r, answer, sizeof(answer)));
}

void trail_control(const struct control *c, size_t met)
{
	char quoted[2 * CONTROL_MAX_BYTES];
	struct buf text;

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	buf_init(&text, CONTROL_MAX_BYTES);
	if (control_format(c, &text) == 0)
		log_info("control message %s met %zu streams",
			 log_quote(text.data, text.len, quoted, sizeof(quoted)), met);
	buf_done(&text);
}
