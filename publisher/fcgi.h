/* fcgi: how web servers talk to publish: FastCGI, request after request in one process, or plain
 * CGI, one request in environment, stdin and stdout. */
#ifndef TIDINGS_PUBLISHER_FCGI_H
#define TIDINGS_PUBLISHER_FCGI_H

struct handle_config;
struct publish_log;
struct tokens_file;

enum fcgi_mode {
	FCGI_MODE_NONE, /* not called by a web server */
	FCGI_MODE_CGI,
	FCGI_MODE_FASTCGI,
};

/* What everything a request needs hangs from. tokens: NULL when none are needed. */
struct fcgi_service {
	const struct handle_config *config;
	struct tokens_file *tokens;
	const struct publish_log *log;
};

enum fcgi_mode fcgi_mode(char *const *envp);

/* Serves requests until SIGTERM, SIGINT or SIGUSR1: an idle process leaves at once, a busy one
 * finishes its request. Returns 0 then, or a negative errno when no more requests can be taken. */
int fcgi_serve(const struct fcgi_service *service);

/* Serves the one request of a CGI program. Returns 0, or -EPIPE when the answer could not be given.
 */
int fcgi_serve_cgi(const struct fcgi_service *service, char *const *envp);

#endif
