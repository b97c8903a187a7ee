/* auth_complaint: words, and when they were said last. */
#include "streamer/auth_complaint.h"

#include <stdbool.h>
#include <string.h>
#include "common/log.h"
#include "streamer/auth_http.h"
#include "streamer/clock.h"

#define COMPLAIN_SECONDS 60.

static bool may_complain(struct auth_complaint *c)
{
	double now = clock_seconds();

	if (c->said_at != 0 && now - c->said_at < COMPLAIN_SECONDS)
		return false;
	c->said_at = now;
	return true;
}

void auth_complain(struct auth_complaint *c, const struct auth_http_answer *answer)
{
	char where[200];

	if (!may_complain(c))
		return;
	if (answer->status == 0 || answer->cut)
		log_warn("auth_url did not answer: %s", answer->why);
	else if (answer->redirect)
		log_warn("auth_url answered %u to %s; it must answer 2xx, 401 or 403",
			 answer->status,
			 log_quote(answer->redirect, strlen(answer->redirect), where,
				   sizeof(where)));
	else
		log_warn("auth_url answered %u; it must answer 2xx, 401 or 403", answer->status);
}

void auth_complain_of_form(struct auth_complaint *c, const struct auth_http_answer *answer)
{
	if (may_complain(c))
		log_warn("auth_url answered %u and not {\"allow\":[...],\"deny\":[...]}",
			 answer->status);
}

void auth_complain_of_gaps(struct auth_complaint *c)
{
	if (may_complain(c))
		log_warn("auth_url left out topics that it was asked about: they are neither "
			 "allowed nor denied");
}

void auth_complain_of_grant(struct auth_complaint *c)
{
	if (may_complain(c))
		log_warn("auth_url answered with an X-SSE-User that is no text of 1 to 256 bytes "
			 "of UTF-8, or an X-SSE-Expires that is no number of seconds: nobody is "
			 "let in by that");
}
