/* main: the streamer program: settings, log, one worker. */
#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "common/log.h"
#include "common/options.h"
#include "common/redis_login.h"
#include "common/settings.h"
#include "streamer/config.h"
#include "streamer/server.h"

/* A program started with 0, 1 or 2 closed would take a client's socket for its log. */
static void fill_standard_files(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

static int run(const struct settings *settings)
{
	struct config config;
	struct server *server = NULL;
	int code = EXIT_FAILED;

	if (config_read(&config, settings) == 0) {
		redis_login_warn(&config.redis, settings);
		server = server_new(&config);
	}
	if (server)
		code = server_run(server);
	server_free(server);
	config_done(&config);
	return code;
}

int main(int argc, char **argv, char **envp)
{
	static const char name[] = "tidings-streamer";
	struct settings *settings = NULL;

	fill_standard_files();
	signal(SIGPIPE, SIG_IGN);
	switch (options_read_checked(argc, argv, envp, SETTINGS_STREAMER, name, redis_login_check,
				     &settings)) {
	case OPTIONS_RUN: break;
	case OPTIONS_DONE: return EXIT_ASKED;
	case OPTIONS_BAD: return EXIT_SETTINGS;
	}
	log_start(name, (enum log_level)settings_word(settings, SET_LOG_LEVEL),
		  (enum log_format)settings_word(settings, SET_LOG_FORMAT),
		  (enum log_target)settings_word(settings, SET_LOG_TARGET));
	curl_global_init(CURL_GLOBAL_DEFAULT);
	int code = run(settings);
	if (code == EXIT_ASKED)
		log_info("stopped");
	curl_global_cleanup();
	settings_free(settings);
	return code;
}
