/* auth_told: from an HTTP answer to verdicts, with what auth_reply.c and auth_batch.c know. */
#include "streamer/auth_told.h"

#include <stdlib.h>
#include <string.h>
#include "streamer/auth_batch.h"
#include "streamer/auth_complaint.h"
#include "streamer/auth_http.h"

static void read_batch(struct auth_told *t, const struct auth_batch *question,
		       const struct auth_http_answer *answer, struct auth_complaint *complaint)
{
	t->outcomes = calloc(question->n, sizeof(*t->outcomes));
	if (!t->outcomes) {
		t->verdict.outcome = AUTH_BUSY;
		return;
	}
	if (!auth_batch_read(question, answer->body, t->outcomes))
		auth_complain_of_form(complaint, answer);
	else if (memchr(t->outcomes, AUTH_BUSY, question->n))
		auth_complain_of_gaps(complaint);
}

void auth_told_read(struct auth_told *t, const struct auth_batch *question, bool batch,
		    const struct auth_http_answer *answer, double now,
		    struct auth_complaint *complaint)
{
	struct auth_verdict *verdict = &t->verdict;

	*t = (struct auth_told){.verdict = {.outcome = AUTH_BUSY}};
	if (answer->status != 0)
		auth_reply_read(answer->status, answer->www_authenticate, answer->body, verdict);
	if (answer->cut &&
	    verdict->outcome == AUTH_ALLOW) /* a no is one also when its page is long */
		verdict->outcome = AUTH_BUSY;
	if (!auth_reply_grant(answer->user, answer->expires, now, verdict)) {
		auth_complain_of_grant(complaint);
		return;
	}
	if (verdict->outcome == AUTH_BUSY) {
		t->failed = answer->failed || answer->status >= 500;
		auth_complain(complaint, answer);
	}
	if (verdict->outcome == AUTH_ALLOW && batch)
		read_batch(t, question, answer, complaint);
}

void auth_told_done(struct auth_told *t)
{
	free(t->outcomes);
	t->outcomes = NULL;
}

const struct auth_verdict *auth_told_of(const struct auth_told *t, size_t i)
{
	if (!t->outcomes || t->outcomes[i] == (uint8_t)t->verdict.outcome)
		return &t->verdict;
	return auth_reply_plain((enum auth_outcome)t->outcomes[i]);
}

enum auth_outcome auth_told_whole(const struct auth_told *t, size_t n)
{
	if (!t->outcomes)
		return t->verdict.outcome;
	return memchr(t->outcomes, AUTH_DENY, n)   ? AUTH_DENY
	       : memchr(t->outcomes, AUTH_BUSY, n) ? AUTH_BUSY
						   : AUTH_ALLOW;
}
