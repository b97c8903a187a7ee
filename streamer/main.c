/* main: the streamer program: settings, log, what the workers share, the supervisor. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "common/log.h"
#include "common/options.h"
#include "common/redis_login.h"
#include "common/settings.h"
#include "streamer/census.h"
#include "streamer/clock.h"
#include "streamer/config.h"
#include "streamer/crew.h"
#include "streamer/server.h"
#include "streamer/shared.h"
#include "streamer/sockets.h"
#include "streamer/supervisor.h"
#include "streamer/ticket_file.h"

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

/* What else must be there at the start. */
static int check_settings(const struct settings *s, char *error)
{
	return redis_login_check(s, error) == 0 ? ticket_file_check(s, error) : -1;
}

/* What the workers get from before they were forked. */
struct house {
	struct config config;
	struct crew crew;
	struct sockets sockets;
	struct shared *shared;
	struct ticket_file *tickets; /* NULL: none are taken. Each worker goes on with a copy */
};

static int work(void *arg, unsigned number, const sigset_t *mask)
{
	struct house *h = arg;
	struct server_place at = {
		.shared = h->shared,
		.sockets = &h->sockets,
		.number = number,
		.max_streams = h->crew.streams_each,
		.tickets = h->tickets,
	};
	int code = EXIT_FAILED;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	struct server *server = server_new(&h->config, &at);
	if (server)
		code = server_run(server, mask);
	server_free(server);
	ticket_file_free(h->tickets);
	sockets_close(&h->sockets, false);
	config_done(&h->config);
	curl_global_cleanup();
	return code;
}

/* They are read before the fork, so that a worker's successor can start whatever became of the
 * file. */
static int open_tickets(struct house *h)
{
	char error[SETTINGS_ERROR_BYTES];

	if (!h->config.auth_by_ticket)
		return 0;
	h->tickets = ticket_file_open(h->config.ticket_keys_file, error, sizeof(error));
	if (!h->tickets)
		log_error("%s", error);
	return h->tickets ? 0 : -1;
}

/* What all of them stand on. */
static int prepare(struct house *h)
{
	const struct config *c = &h->config;
	uint64_t addresses = c->max_connections_per_ip ? c->max_connections : 0;

	h->crew = crew_size(c);
	h->shared = shared_new(h->crew.workers, addresses);
	int err = h->shared ? census_make_bells(h->shared) : -ENOMEM;
	if (err) {
		log_error("cannot make what the workers share: %s", strerror(-err));
		return -1;
	}
	h->shared->started = clock_seconds();
	if (open_tickets(h) != 0)
		return -1;
	return sockets_open(&h->sockets, c, h->crew.workers);
}

static int run(const struct settings *settings)
{
	struct house h = {.shared = NULL};
	int code = EXIT_FAILED;

	if (config_read(&h.config, settings) == 0) {
		redis_login_warn(&h.config.redis, settings);
		if (prepare(&h) == 0) {
			const struct supervisor_config config = {
				.shared = h.shared, .sockets = &h.sockets, .work = work, .arg = &h};
			code = supervisor_run(&config);
		}
		sockets_close(&h.sockets, true);
	}
	ticket_file_free(h.tickets);
	shared_free(h.shared);
	config_done(&h.config);
	return code;
}

int main(int argc, char **argv, char **envp)
{
	static const char name[] = "tidings-streamer";
	struct settings *settings = NULL;

	fill_standard_files();
	signal(SIGPIPE, SIG_IGN);
	switch (options_read_checked(argc, argv, envp, SETTINGS_STREAMER, name, check_settings,
				     &settings)) {
	case OPTIONS_RUN: break;
	case OPTIONS_DONE: return EXIT_ASKED;
	case OPTIONS_BAD: return EXIT_SETTINGS;
	}
	log_start(name, (enum log_level)settings_word(settings, SET_LOG_LEVEL),
		  (enum log_format)settings_word(settings, SET_LOG_FORMAT),
		  (enum log_target)settings_word(settings, SET_LOG_TARGET));
	int code = run(settings);
	if (code == EXIT_ASKED)
		log_info("stopped");
	settings_free(settings);
	return code;
}
