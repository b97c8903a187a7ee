/* log: see log.h. Formats one line into a buffer of at most PIPE_BUF bytes and hands it over in one
 * write, or drops and counts it. Owns the only state that a module of tidings keeps to itself:
 * level, format, target, the worker's number, the socket to the system log, the count of dropped
 * lines. It leaves SIGPIPE's disposition to the program: a reader that is gone can't end the
 * process from here in any case. */
#include "common/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/utf8.h"

#define MESSAGE_BYTES 2048     /* of one message before escaping */
#define LINE_BYTES    PIPE_BUF /* a pipe takes this much in one piece or not at all */
#define CUT           "..."
#define FACILITY      (3 << 3) /* syslog's daemon */

static struct {
	const char *program;
	unsigned worker; /* 0: none */
	enum log_level level;
	enum log_format format;
	enum log_target target;
	bool journal;      /* stderr is the journal: it adds time and name itself */
	int syslog_socket; /* connected to /dev/log, or -1 */
	uint64_t dropped;
} state = {.program = "tidings", .level = LOG_LEVEL_INFO, .syslog_socket = -1};

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const int level_priorities[] = {3, 4, 6, 7}; /* of syslog and the journal */

/* ---- one line ---- */

struct line {
	char bytes[LINE_BYTES];
	size_t len;
	size_t limit; /* what is left for the end of the line stands behind it */
};

static bool put(struct line *l, const char *bytes, size_t len)
{
	if (len > l->limit - l->len)
		return false;
	memcpy(l->bytes + l->len, bytes, len);
	l->len += len;
	return true;
}

static void put_format(struct line *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put_format(struct line *l, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n > 0)
		put(l, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* The length of the character that stands at text, 0 when no valid one does. */
static size_t character_length(const char *text, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++) {
		if (utf8_valid(text, n))
			return n;
	}
	return 0;
}

/* How a character stands in a line: itself, or an escape. Returns the length of what was written to
 * out[8]; *used tells how many bytes of text it took. */
static size_t escape_text(const char *text, size_t len, size_t *used, char *out)
{
	unsigned char c = (unsigned char)text[0];
	size_t n = character_length(text, len);

	*used = n ? n : 1;
	if (c == '\n' || c == '\r' || c == '\t')
		return (size_t)snprintf(out, 8, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
	if (n == 0 || utf8_has_control(text, n))
		return (size_t)snprintf(out, 8, n == 2 ? "\\u%04x" : "\\x%02x",
					n == 2 ? (unsigned char)text[1] : c);
	memcpy(out, text, n);
	return n;
}

static size_t escape_json(const char *text, size_t len, size_t *used, char *out)
{
	unsigned char c = (unsigned char)text[0];
	size_t n = character_length(text, len);

	*used = n ? n : 1;
	if (n == 0)
		return (size_t)snprintf(out, 8, "\\ufffd");
	if (c == '"' || c == '\\')
		return (size_t)snprintf(out, 8, "\\%c", c);
	if (utf8_has_control(text, n))
		return (size_t)snprintf(out, 8, "\\u%04x", n == 2 ? (unsigned char)text[1] : c);
	memcpy(out, text, n);
	return n;
}

static void put_escaped(struct line *l, const char *text, size_t len,
			size_t (*escape)(const char *, size_t, size_t *, char *))
{
	char piece[8];
	size_t used;

	for (size_t at = 0; at < len; at += used) {
		size_t n = escape(text + at, len - at, &used, piece);

		if (!put(l, piece, n)) {
			l->limit += sizeof(CUT) - 1;
			put(l, CUT, sizeof(CUT) - 1);
			return;
		}
	}
}

static void put_time(struct line *l)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	put_format(l, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", tm.tm_year + 1900, tm.tm_mon + 1,
		   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000);
}

static void format_json(struct line *l, enum log_level level, const char *message, size_t len)
{
	static const char end[] = "\"}";

	l->limit -= sizeof(end) - 1;
	put_format(l, "{\"time\":\"");
	put_time(l);
	put_format(l, "\",\"level\":\"%s\",\"program\":\"%s\",\"pid\":%d,", level_names[level],
		   state.program, (int)getpid());
	if (state.worker)
		put_format(l, "\"worker\":%u,", state.worker);
	put_format(l, "\"message\":\"");
	put_escaped(l, message, len, escape_json);
	l->limit += sizeof(end) - 1;
	put(l, end, sizeof(end) - 1);
}

static void format_text(struct line *l, enum log_level level, const char *message, size_t len)
{
	if (state.target == LOG_TARGET_SYSLOG) {
		put_format(l, "%s: ", level_names[level]);
	} else if (state.journal) {
		put_format(l, "<%d>", level_priorities[level]);
	} else {
		put_time(l);
		put_format(l, " %s[%d] %s: ", state.program, (int)getpid(), level_names[level]);
	}
	if (state.worker)
		put_format(l, "worker %u: ", state.worker);
	put_escaped(l, message, len, escape_text);
}

/* ---- where it goes ---- */

/* A write that neither blocks nor raises SIGPIPE; stderr is shared with others, so that its
 * O_NONBLOCK must stay as it is. */
static bool write_stderr(const char *bytes, size_t len)
{
	ssize_t n = send(STDERR_FILENO, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0 || errno != ENOTSOCK)
		return n == (ssize_t)len;

	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT) || (ready.revents & POLLERR))
		return false; /* POLLERR: nobody reads the pipe any more */
	n = write(STDERR_FILENO, bytes, len);
	return n == (ssize_t)len;
}

/* The reader of a pipe may go away between poll and write. */
static bool write_stderr_without_signal(const char *bytes, size_t len)
{
	const struct timespec now = {0};
	sigset_t pipe_only, before, pending;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	bool written = write_stderr(bytes, len);
	if (!written && errno == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe_only, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return written;
}

static int connect_syslog(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* libc's syslog() may block, hence a socket of our own. It is connected anew once, as the system
 * log restarts. */
static bool write_syslog(const char *bytes, size_t len)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		if (state.syslog_socket < 0)
			state.syslog_socket = connect_syslog();
		if (state.syslog_socket < 0)
			return false;
		if (send(state.syslog_socket, bytes, len, MSG_NOSIGNAL) == (ssize_t)len)
			return true;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return false;
		close(state.syslog_socket);
		state.syslog_socket = -1;
	}
	return false;
}

static void put_syslog_head(struct line *l, enum log_level level)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	put_format(l, "<%d>%s %s[%d]: ", FACILITY | level_priorities[level], stamp, state.program,
		   (int)getpid());
}

static void write_line(enum log_level level, const char *message, size_t len)
{
	struct line l = {.limit = LINE_BYTES - sizeof(CUT) - 1};
	bool written;

	if (state.target == LOG_TARGET_SYSLOG)
		put_syslog_head(&l, level);
	if (state.format == LOG_FORMAT_JSON)
		format_json(&l, level, message, len);
	else
		format_text(&l, level, message, len);
	if (state.target == LOG_TARGET_SYSLOG) {
		written = write_syslog(l.bytes, l.len);
	} else {
		l.bytes[l.len++] = '\n';
		written = write_stderr_without_signal(l.bytes, l.len);
	}
	state.dropped += !written;
}

static void log_message(enum log_level level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void log_message(enum log_level level, const char *format, va_list args)
{
	char message[MESSAGE_BYTES];
	int saved = errno;

	if (!log_enabled(level))
		return;
	int n = vsnprintf(message, sizeof(message), format, args);
	if (n >= (int)sizeof(message)) {
		n = (int)sizeof(message) - 1;
		memcpy(message + n - (sizeof(CUT) - 1), CUT, sizeof(CUT) - 1);
	}
	if (n > 0)
		write_line(level, message, (size_t)n);
	errno = saved;
}

/* ---- for everybody ---- */

/* systemd names the device and inode of its stream to the journal, for those who inherit something
 * else. */
static bool stderr_is_journal(void)
{
	const char *named = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;

	if (!named || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(here, sizeof(here), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return strcmp(named, here) == 0;
}

void log_start(const char *program, enum log_level level, enum log_format format,
	       enum log_target target)
{
	state.program = program;
	state.level = level;
	state.format = format;
	state.target = target;
	state.journal = stderr_is_journal();
	if (target == LOG_TARGET_SYSLOG && state.syslog_socket < 0)
		state.syslog_socket = connect_syslog();
}

void log_worker(unsigned number)
{
	state.worker = number;
}

bool log_enabled(enum log_level level)
{
	return level <= state.level;
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_message(LOG_LEVEL_ERROR, format, args);
	va_end(args);
}

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_message(LOG_LEVEL_WARN, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_message(LOG_LEVEL_INFO, format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_message(LOG_LEVEL_DEBUG, format, args);
	va_end(args);
}

char *log_quote(const char *text, size_t len, char *out, size_t size)
{
	static const char end[] = "\"" CUT;
	size_t at = 0, used;
	char piece[8];

	out[at++] = '"';
	for (size_t i = 0; i < len; i += used) {
		size_t n = escape_text(text + i, len - i, &used, piece);
		bool backslash = text[i] == '"' || text[i] == '\\';

		if (n + backslash > size - at - sizeof(end)) {
			memcpy(out + at, end, sizeof(end));
			return out;
		}
		if (backslash)
			out[at++] = '\\';
		memcpy(out + at, piece, n);
		at += n;
	}
	out[at++] = '"';
	out[at] = '\0';
	return out;
}

uint64_t log_dropped(void)
{
	return state.dropped;
}
