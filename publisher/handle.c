/* handle: see handle.h. The order of the checks is the order in which they are cheap: method, who
 * it is, what kind of body, how long; then, with the body, which is handle_publish's or
 * handle_control's: what it says, whether that one may, and only then the one call of the log. */
#include "publisher/handle.h"

#include <errno.h>

#include "common/num.h"
#include "publisher/access.h"
#include "publisher/handle_control.h"
#include "publisher/handle_publish.h"
#include "publisher/log.h"
#include "publisher/request.h"
#include "publisher/response.h"

/* ---- what is asked for ---- */

static bool given(const char *text)
{
	return text && *text;
}

/* PATH_INFO, or where the web server gives none, SCRIPT_NAME ends so. */
static bool asks_for(const struct request *request, const char *tail)
{
	const char *path = given(request->path_info) ? request->path_info : request->script_name;
	size_t len = given(path) ? strlen(path) : 0, tail_len = strlen(tail);

	return len >= tail_len && strcmp(path + len - tail_len, tail) == 0;
}

static void answer_health(const struct publish_log *log, const char *method, struct response *r)
{
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		response_health(r, log->ping(log->ctx));
	else if (strcmp(method, "OPTIONS") == 0)
		response_options(r, "GET, HEAD, OPTIONS");
	else
		response_method(r, "GET, HEAD");
}

/* ---- who asks ---- */

static int check_token(const struct access_tokens *tokens, const struct request *request,
		       struct handle_step *step, struct response *r)
{
	struct span token = access_bearer(request->authorization);
	int rc;

	if (!given(request->authorization)) {
		response_error(
			r, 401, NULL,
			"a token is missing: send Authorization: Bearer TOKEN (it may also have "
			"been lost on the way; Apache: CGIPassAuth On)");
		return -1;
	}
	if (!token.at) {
		response_error(r, 401, NULL, "Authorization must be: Bearer TOKEN");
		return -1;
	}
	rc = access_find(tokens, token, &step->token);
	if (rc < 0) {
		response_error(r, rc == -ENOENT ? 401 : 503, NULL,
			       rc == -ENOENT ? "this token is not known" : "out of memory");
		return -1;
	}
	step->who = access_name(step->token);
	return 0;
}

static int check_control(const struct access_token *token, struct response *r)
{
	if (access_controls(token))
		return 0;
	response_error(r, 403, NULL,
		       "token %s has no right to control (write +control behind it in "
		       "publish_tokens_file)",
		       access_name(token));
	return -1;
}

/* Only a token can have that right. */
static int check_controller(const struct handle_config *config, const struct access_tokens *tokens,
			    const struct request *request, struct handle_step *step,
			    struct response *r)
{
	if (config->auth != HANDLE_AUTH_TOKEN) {
		response_error(r, 403, NULL, "control needs publish_auth = token");
		return -1;
	}
	if (check_token(tokens, request, step, r) < 0)
		return -1;
	return check_control(step->token, r);
}

static int check_publisher(const struct handle_config *config, const struct access_tokens *tokens,
			   const struct request *request, struct handle_step *step,
			   struct response *r)
{
	if (config->auth == HANDLE_AUTH_TOKEN)
		return check_token(tokens, request, step, r);
	if (config->auth == HANDLE_AUTH_NONE)
		return 0;
	if (!given(request->remote_user)) {
		response_error(r, 401, NULL,
			       "nobody is signed in: the web server must ask for a user here and "
			       "hand over "
			       "REMOTE_USER");
		return -1;
	}
	step->who = request->remote_user;
	return 0;
}

static int check_who(const struct handle_config *config, const struct access_tokens *tokens,
		     const struct request *request, struct handle_step *step, struct response *r)
{
	return step->control ? check_controller(config, tokens, request, step, r)
			     : check_publisher(config, tokens, request, step, r);
}

/* ---- the steps ---- */

static int check_length(const struct handle_config *config, const struct request *request,
			struct handle_step *step, struct response *r)
{
	uint64_t length;
	int rc;

	if (!given(request->content_length))
		return 0;
	rc = num_parse_u64(request->content_length, strlen(request->content_length), 0,
			   config->max_body, &length);
	if (rc == -ERANGE) {
		handle_too_large(config, r);
		return -1;
	}
	if (rc < 0) {
		response_error(r, 400, "Content-Length", "Content-Length is not a number");
		return -1;
	}
	step->length_known = true;
	step->length = (size_t)length;
	return 0;
}

void handle_too_large(const struct handle_config *config, struct response *r)
{
	response_error(r, 413, NULL, "the body is larger than %zu bytes (max_body_size)",
		       config->max_body);
}

int handle_begin(const struct handle_config *config, const struct access_tokens *tokens,
		 const struct publish_log *log, const struct request *request,
		 struct handle_step *step, struct response *r)
{
	const char *method = request->method ? request->method : "";

	*step = (struct handle_step){.who = "", .control = asks_for(request, "/control")};
	if (asks_for(request, "/health")) {
		answer_health(log, method, r);
		return -1;
	}
	if (strcmp(method, "OPTIONS") == 0) {
		response_options(r, "POST, OPTIONS");
		return -1;
	}
	if (strcmp(method, "POST") != 0) {
		response_method(r, "POST");
		return -1;
	}
	if (check_who(config, tokens, request, step, r) < 0 ||
	    decode_content_type(request->content_type, &step->media, r) < 0)
		return -1;
	return check_length(config, request, step, r);
}

void handle_body(const struct handle_config *config, const struct publish_log *log,
		 const struct request *request, const struct handle_step *step, struct response *r)
{
	if (step->control)
		handle_control(log, request, step, r);
	else
		handle_publish(config, log, request, step, r);
}
