/* publish: takes events from web applications by way of their web server, and gives them to Redis.
 * Here: the start, from command line and environment to the service, and the end with its exit
 * code. Settings come from the environment of the process; nothing in a request can change them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/options.h"
#include "common/redis_login.h"
#include "publisher/config.h"
#include "publisher/fcgi.h"
#include "publisher/log.h"
#include "publisher/log_redis.h"
#include "publisher/tokens_file.h"

#define PROGRAM "tidings-publish"

static const char usage[] = PROGRAM
	" is started by a web server, as a FastCGI responder or as a CGI program, and does "
	"nothing on its own.\n"
	"Its settings come from the environment (SSE_PUBLISH_AUTH=..., SSE_REDIS_URL=...) or "
	"from the file that TIDINGS_CONFIG names.\n"
	"Try: " PROGRAM " --help, --check, --print-config\n";

/* A web server may start it without stdin, stdout or stderr: no socket of ours must get such a
 * number. */
static void fill_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return;
	}
}

/* For --check too: a file that can't be read is a wrong setting. */
static int check_files(const struct settings *s, char *error)
{
	struct tokens_file *tokens;
	struct config config;

	if (redis_login_check(s, error) < 0)
		return -1;
	config_read(s, NULL, &config);
	if (!config.tokens_file)
		return 0;
	tokens = tokens_file_open(config.tokens_file, error, SETTINGS_ERROR_BYTES);
	if (!tokens)
		return -1;
	tokens_file_free(tokens);
	return 0;
}

static int serve(enum fcgi_mode mode, const struct fcgi_service *service, char *const *envp)
{
	int rc = mode == FCGI_MODE_CGI ? fcgi_serve_cgi(service, envp) : fcgi_serve(service);

	if (rc < 0 && mode == FCGI_MODE_FASTCGI)
		log_error("can't take requests: %s", strerror(-rc));
	return rc < 0 ? EXIT_FAILED : EXIT_ASKED;
}

static int run(enum fcgi_mode mode, const struct config *config, char *const *envp)
{
	char error[SETTINGS_ERROR_BYTES];
	struct tokens_file *tokens = NULL;
	struct log_redis *redis;
	int code = EXIT_FAILED;

	if (config->tokens_file) {
		tokens = tokens_file_open(config->tokens_file, error, sizeof(error));
		if (!tokens) {
			log_error("%s", error);
			return EXIT_SETTINGS;
		}
	}
	redis = log_redis_new(config);
	if (redis) {
		struct publish_log log = log_redis_log(redis);
		struct fcgi_service service = {
			.config = &config->handle, .tokens = tokens, .log = &log};

		code = serve(mode, &service, envp);
	} else {
		log_error("out of memory");
	}
	log_redis_free(redis);
	tokens_file_free(tokens);
	return code;
}

static int start(enum fcgi_mode mode, const struct settings *s, char *const *envp)
{
	char error[SETTINGS_ERROR_BYTES];
	struct redis_login login;
	struct config config;
	int code;

	log_start(PROGRAM, settings_word(s, SET_LOG_LEVEL), settings_word(s, SET_LOG_FORMAT),
		  settings_word(s, SET_LOG_TARGET));
	if (redis_login_init(&login, s, error) < 0) {
		log_error("%s", error);
		return EXIT_SETTINGS;
	}
	redis_login_warn(&login, s);
	config_read(s, &login, &config);
	code = run(mode, &config, envp);
	redis_login_done(&login);
	return code;
}

int main(int argc, char **argv, char **envp)
{
	enum fcgi_mode mode;
	struct settings *s;
	int code;

	fill_standard_files();
	signal(SIGPIPE, SIG_IGN);
	mode = fcgi_mode(envp);
	if (mode == FCGI_MODE_NONE && argc == 1) {
		fputs(usage, stderr);
		return EXIT_SETTINGS;
	}
	switch (options_read_checked(argc, argv, envp, SETTINGS_PUBLISH, PROGRAM, check_files,
				     &s)) {
	case OPTIONS_DONE: return EXIT_ASKED;
	case OPTIONS_BAD: return EXIT_SETTINGS;
	case OPTIONS_RUN: break;
	}
	if (mode == FCGI_MODE_NONE) {
		fputs(usage, stderr);
		code = EXIT_SETTINGS;
	} else {
		code = start(mode, s, envp);
	}
	settings_free(s);
	return code;
}
