/* handle_control: see handle_control.h. Whom a message means must lie within the topics that its
 * token is good for: who names no topic means all of them. */
#include "publisher/handle_control.h"

#include "common/control.h"
#include "publisher/access.h"
#include "publisher/decode_control.h"
#include "publisher/log.h"
#include "publisher/request.h"
#include "publisher/response.h"

static int check_topics(const struct access_token *token, const struct control_selector *who,
			struct response *r)
{
	struct span topic = {who->topic, who->topic_len};

	if (access_allows(token, topic.len > 0 ? topic : span_of("*")))
		return 0;
	if (topic.len > 0)
		response_error(r, 403, NULL, "token %s may not control topic %.*s",
			       access_name(token), (int)topic.len, topic.at);
	else
		response_error(r, 403, NULL,
			       "token %s is not good for all topics: name one that it is good for, "
			       "as \"topic\"",
			       access_name(token));
	return -1;
}

static void send(const struct publish_log *log, const struct control *message, struct response *r)
{
	struct publish_log_refusal refusal = {.why = ""};
	enum publish_log_outcome outcome;
	uint64_t heard;

	outcome = log->control(log->ctx, message, &heard, &refusal);
	switch (outcome) {
	case PUBLISH_LOG_DONE: response_heard(r, heard); return;
	case PUBLISH_LOG_REFUSED: response_error(r, 503, NULL, "not sent: %s", refusal.why); return;
	case PUBLISH_LOG_UNSAFE:
		response_error(r, 503, NULL,
			       "in force, and not safe yet: %s; a failover may lose it. Send it "
			       "again: it waits anew, and does no harm",
			       refusal.why);
		return;
	case PUBLISH_LOG_PARTLY:
		response_error(r, 503, NULL,
			       "it may be partly in force: some partitions have it, others perhaps "
			       "not: %s; send it again, which does no harm",
			       refusal.why);
		return;
	default: break;
	}
	response_error(r, 503, NULL,
		       "%s; whether it was sent is not known: send it again, which does no harm",
		       refusal.why);
}

void handle_control(const struct publish_log *log, const struct request *request,
		    const struct handle_step *step, struct response *r)
{
	struct control message;

	if (decode_control(request->body, &step->media, &message, r) == 0 &&
	    check_topics(step->token, &message.who, r) == 0)
		send(log, &message, r);
}
