/* supervisor: signals and children, and nothing else: it waits in sigtimedwait all its life, so
 * that there is little in it that could fail. The sockets are sockets.c's, the counters shared.c's.
 */
#include "streamer/supervisor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "common/log.h"
#include "common/options.h"
#include "streamer/clock.h"
#include "streamer/jitter.h"
#include "streamer/shared.h"
#include "streamer/sockets.h"

#define CALM_SECONDS 30. /* who lived that long did not die of its start */
#define FIRST_MS     250u
#define LONGEST_MS   5000u
#define LOOK_SECONDS .05 /* until the first worker can serve */
#define STOP_SECONDS 5.  /* a worker needs less than one; who is stuck is not waited for */

struct worker {
	pid_t pid;        /* 0: none runs */
	double born, due; /* due: of its successor's start */
	unsigned deaths;  /* in a row, each soon after its start */
};

struct supervisor {
	struct supervisor_config config;
	struct worker workers[SHARED_WORKERS_MAX];
	unsigned n;
	sigset_t heeded, before;
	bool proven;            /* a worker could serve once: what is wrong now may pass */
	bool stopping, hurried; /* hurried: killed, as was asked for */
	double patience;        /* while stopping: until then nobody is killed */
	int code;
};

/* ---- start ---- */

static void be_worker(struct supervisor *s, unsigned number, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before that */
		_exit(EXIT_FAILED);
	if (s->n > 1)
		log_worker(number + 1);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sockets_keep(s->config.sockets, number);
	exit(s->config.work(s->config.arg, number, &s->before));
}

/* 0 after the first death, then longer and longer. */
static uint64_t pause_ms(unsigned deaths)
{
	uint64_t ms = FIRST_MS;

	if (deaths <= 1)
		return 0;
	for (unsigned i = 2; i < deaths && ms < LONGEST_MS; i++)
		ms *= 2;
	return jitter_around(ms < LONGEST_MS ? ms : LONGEST_MS);
}

/* calm: its end says nothing of what the next one meets. */
static uint64_t plan_successor(struct worker *w, bool calm)
{
	double now = clock_seconds();

	w->deaths = calm || now - w->born > CALM_SECONDS ? 1 : w->deaths + 1;
	uint64_t ms = pause_ms(w->deaths);
	w->due = now + (double)ms / 1e3;
	return ms;
}

static void start(struct supervisor *s, unsigned number)
{
	struct worker *w = &s->workers[number];
	pid_t self = getpid(), pid = fork();

	w->born = clock_seconds();
	if (pid == 0)
		be_worker(s, number, self);
	if (pid < 0) {
		uint64_t ms = plan_successor(w, false);
		log_error("cannot start worker %u: %s; next try in %llu ms", number + 1,
			  strerror(errno), (unsigned long long)ms);
		return;
	}
	w->pid = pid;
}

static void start_due(struct supervisor *s)
{
	double now = clock_seconds();

	for (unsigned i = 0; i < s->n && s->proven && !s->stopping; i++) {
		struct worker *w = &s->workers[i];
		if (w->pid || w->due > now)
			continue;
		s->config.shared->restarts++;
		start(s, i);
		if (w->pid)
			log_info("worker %u is process %d now", i + 1, (int)w->pid);
	}
}

/* ---- ends ---- */

static int number_of(const struct supervisor *s, pid_t pid)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->workers[i].pid == pid)
			return (int)i;
	return -1;
}

static void tell_death(unsigned number, pid_t pid, int status, uint64_t ms)
{
	char when[40] = "starts at once";

	if (ms > 0)
		snprintf(when, sizeof(when), "starts in %llu ms", (unsigned long long)ms);
	if (WIFSIGNALED(status))
		log_error("worker %u (process %d) was ended by signal %d (%s); its successor %s",
			  number + 1, (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)),
			  when);
	else if (WEXITSTATUS(status) == EXIT_ASKED)
		log_info("worker %u (process %d) was asked to stop; its successor %s", number + 1,
			 (int)pid, when);
	else
		log_error("worker %u (process %d) ended by itself with %d; its successor %s",
			  number + 1, (int)pid, WEXITSTATUS(status), when);
}

static void prove(struct supervisor *s)
{
	for (unsigned i = 0; i < s->n && !s->proven; i++)
		s->proven = shared_state(s->config.shared, i) != WORKER_ABSENT;
}

static void bury(struct supervisor *s, unsigned number, int status)
{
	struct worker *w = &s->workers[number];
	pid_t pid = w->pid;

	w->pid = 0;
	prove(s);
	shared_worker_gone(s->config.shared, number);
	bool asked = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ASKED;
	if (!s->stopping)
		tell_death(number, pid, status, plan_successor(w, asked));
	else if (!s->hurried && !asked)
		s->code = EXIT_FAILED;
}

static void bury_dead(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		int number = number_of(s, pid);
		if (number >= 0)
			bury(s, (unsigned)number, status);
	}
}

static unsigned running(const struct supervisor *s)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->n; i++)
		n += s->workers[i].pid != 0;
	return n;
}

/* Every one ended, or could not be made, before any could serve: trying on would help nobody. */
static bool hopeless(struct supervisor *s)
{
	prove(s);
	return !s->proven && !s->stopping && running(s) == 0;
}

/* ---- signals ---- */

/* Who is stopped would not hear it, so goes on first: a SIGCONT that comes later would undo the
 * SIGSTOP of whoever looks into a process that ends, as LeakSanitizer does, which waits for ever
 * then. */
static void send_all(const struct supervisor *s, int number)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->workers[i].pid) {
			kill(s->workers[i].pid, SIGCONT);
			kill(s->workers[i].pid, number);
		}
}

/* Our copies of the sockets would keep their queues open, where nobody accepts any more. */
static void begin_stop(struct supervisor *s)
{
	s->stopping = true;
	s->patience = clock_seconds() + STOP_SECONDS;
	sockets_close_public(s->config.sockets);
	send_all(s, SIGTERM);
}

static void on_signal(struct supervisor *s, int number)
{
	if (number == SIGHUP) {
		log_warn("SIGHUP is ignored: settings are read at the start only");
	} else if (number == SIGTERM || number == SIGINT) {
		s->hurried = s->stopping;
		if (s->stopping)
			send_all(s, SIGKILL);
		else
			begin_stop(s);
	}
}

/* When to look again though no signal came. */
static double next_due(const struct supervisor *s)
{
	double due = clock_seconds() + (s->proven ? 3600 : LOOK_SECONDS);

	if (s->stopping)
		return s->patience;
	for (unsigned i = 0; i < s->n && s->proven; i++)
		if (!s->workers[i].pid && s->workers[i].due < due)
			due = s->workers[i].due;
	return due;
}

static void wait_for_signal(struct supervisor *s)
{
	double left = next_due(s) - clock_seconds();

	if (left < 0)
		left = 0;
	struct timespec timeout = {.tv_sec = (time_t)left,
				   .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)};
	int number = sigtimedwait(&s->heeded, NULL, &timeout);
	if (number > 0)
		on_signal(s, number);
}

static void lose_patience(struct supervisor *s)
{
	if (!s->stopping || clock_seconds() < s->patience)
		return;
	log_warn("%u workers did not end, killing them", running(s));
	send_all(s, SIGKILL);
	s->patience += STOP_SECONDS;
}

/* ---- life ---- */

static void heed_signals(struct supervisor *s)
{
	sigemptyset(&s->heeded);
	sigaddset(&s->heeded, SIGCHLD);
	sigaddset(&s->heeded, SIGTERM);
	sigaddset(&s->heeded, SIGINT);
	sigaddset(&s->heeded, SIGHUP);
	signal(SIGCHLD, SIG_DFL); /* inherited as ignored, it would hide the dead from us */
	sigprocmask(SIG_BLOCK, &s->heeded, &s->before);
}

int supervisor_run(const struct supervisor_config *config)
{
	struct supervisor s = {.config = *config, .n = config->shared->workers};

	heed_signals(&s);
	for (unsigned i = 0; i < s.n; i++)
		start(&s, i);
	while (!s.stopping || running(&s) > 0) {
		if (hopeless(&s)) {
			log_error("no worker could start");
			return EXIT_FAILED;
		}
		wait_for_signal(&s);
		bury_dead(&s);
		start_due(&s);
		lose_patience(&s);
	}
	return s.code;
}
