/* test_log: one event is one line, whatever stands in it; a reader that is full or gone costs
 * lines, never time. */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/run.h"

/* stderr turned into a pipe (or a pair of sockets) that the test reads; undone by restore(). */
struct capture {
	int saved, reader;
};

static void capture_pair(struct capture *c, const int fds[2])
{
	c->saved = dup(STDERR_FILENO);
	c->reader = fds[0];
	ck_assert_int_ge(c->saved, 0);
	ck_assert_int_eq(fcntl(c->reader, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
}

static void capture_pipe(struct capture *c)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	capture_pair(c, fds);
}

static void restore(struct capture *c)
{
	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	if (c->reader >= 0)
		close(c->reader);
}

/* What was written so far, without the last line's end; text[8192]. */
static const char *captured(struct capture *c, char *text)
{
	ssize_t n = read(c->reader, text, 8191);

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(text[n - 1], '\n');
	text[n - 1] = '\0';
	return text;
}

START_TEST(a_line_has_time_program_level_and_text)
{
	struct capture c;
	char text[8192], tail[64];

	capture_pipe(&c);
	log_start("tidings-x", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, LOG_TARGET_STDERR);
	log_warn("lost link: %s", "reset");
	captured(&c, text);
	restore(&c);
	snprintf(tail, sizeof(tail), "Z tidings-x[%d] warn: lost link: reset", (int)getpid());
	ck_assert_uint_eq(strlen(text), strlen("2026-01-01T00:00:00.000") + strlen(tail));
	ck_assert_str_eq(text + strlen("2026-01-01T00:00:00.000"), tail);
}
END_TEST

START_TEST(lines_below_the_level_are_not_written)
{
	static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO,
						LOG_LEVEL_DEBUG};

	for (size_t i = 0; i < COUNT_OF(levels); i++) {
		struct capture c;
		char text[8192];
		size_t lines = 1;

		capture_pipe(&c);
		log_start("x", levels[i], LOG_FORMAT_TEXT, LOG_TARGET_STDERR);
		log_error("a");
		log_warn("b");
		log_info("c");
		log_debug("d");
		for (const char *at = captured(&c, text); (at = strchr(at, '\n')) != NULL; at++)
			lines++;
		restore(&c);
		ck_assert_uint_eq(lines, i + 1);
		ck_assert(log_enabled(levels[i]));
		ck_assert(i + 1 == COUNT_OF(levels) || !log_enabled(levels[i + 1]));
	}
}
END_TEST

START_TEST(text_can_not_forge_a_second_line)
{
	struct capture c;
	char text[8192];

	capture_pipe(&c);
	log_start("x", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, LOG_TARGET_STDERR);
	log_info("%s", "a\nb\rc\td\x1b[31m\x7f\xc2\x85\xff\xc3\xa9");
	captured(&c, text);
	restore(&c);
	ck_assert_str_eq(strstr(text, "info: "),
			 "info: a\\nb\\rc\\td\\x1b[31m\\x7f\\u0085\\xff\xc3\xa9");
}
END_TEST

/* The message of a json line; the caller puts *line. */
static const char *message_of(const char *text, struct json_object **line)
{
	struct json_object *message, *level;

	*line = json_tokener_parse(text);
	ck_assert_ptr_nonnull(*line);
	ck_assert(json_object_object_get_ex(*line, "message", &message));
	ck_assert(json_object_object_get_ex(*line, "level", &level));
	ck_assert_str_eq(json_object_get_string(level), "info");
	return json_object_get_string(message);
}

START_TEST(a_json_line_reads_back_as_it_was_said)
{
	struct capture c;
	struct json_object *line;
	char text[8192];

	capture_pipe(&c);
	log_start("x", LOG_LEVEL_INFO, LOG_FORMAT_JSON, LOG_TARGET_STDERR);
	log_info("%s", "\"q\\\" a\nb\x01\xc2\x85\xf0\x9f\x98\x80\xff.");
	captured(&c, text);
	restore(&c);
	ck_assert_ptr_null(strchr(text, '\n'));
	ck_assert_str_eq(message_of(text, &line),
			 "\"q\\\" a\nb\x01\xc2\x85\xf0\x9f\x98\x80\xef\xbf\xbd.");
	json_object_put(line);
}
END_TEST

START_TEST(a_workers_lines_have_its_number)
{
	struct capture c;
	struct json_object *line, *number;
	char text[8192];

	log_worker(12);
	capture_pipe(&c);
	log_start("x", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, LOG_TARGET_STDERR);
	log_info("said");
	captured(&c, text);
	restore(&c);
	ck_assert_ptr_nonnull(strstr(text, " info: worker 12: said"));
	capture_pipe(&c);
	log_start("x", LOG_LEVEL_INFO, LOG_FORMAT_JSON, LOG_TARGET_STDERR);
	log_info("said");
	captured(&c, text);
	restore(&c);
	ck_assert_str_eq(message_of(text, &line), "said");
	ck_assert(json_object_object_get_ex(line, "worker", &number));
	ck_assert_int_eq(json_object_get_int(number), 12);
	json_object_put(line);
	log_worker(0);
}
END_TEST

START_TEST(a_long_message_is_cut_and_its_line_stays_whole)
{
	char *message = malloc(20001), text[8192];

	ck_assert_ptr_nonnull(message);
	for (int controls = 0; controls < 2; controls++) {
		for (enum log_format format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON;
		     format++) {
			struct capture c;
			struct json_object *line;
			const char *said = text;

			memset(message, controls ? 1 : 'm', 20000);
			message[20000] = '\0';
			capture_pipe(&c);
			log_start("x", LOG_LEVEL_INFO, format, LOG_TARGET_STDERR);
			log_info("%s", message);
			captured(&c, text);
			restore(&c);
			ck_assert_uint_lt(strlen(text), PIPE_BUF);
			if (format == LOG_FORMAT_JSON) {
				said = message_of(text, &line);
				ck_assert_str_eq(said + strlen(said) - 3, "...");
				json_object_put(line);
			} else {
				ck_assert_str_eq(said + strlen(said) - 3, "...");
			}
		}
	}
	free(message);
}
END_TEST

START_TEST(the_journal_gets_priorities_and_no_time)
{
	struct capture c;
	struct stat st;
	char text[8192], stream[64];

	capture_pipe(&c);
	ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_start("x", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, LOG_TARGET_STDERR);
	log_warn("w");
	captured(&c, text);
	restore(&c);
	ck_assert_str_eq(text, "<4>w");
}
END_TEST

/* Writes lines until some are dropped; every one that was written is whole. */
static void fill(struct capture *c)
{
	uint64_t before = log_dropped();
	size_t whole = 0, lines = 0;
	char text[4096];
	ssize_t n;

	log_start("x", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, LOG_TARGET_STDERR);
	while (log_dropped() < before + 3) {
		log_info("%0900d", 0);
		lines++;
		ck_assert_uint_lt(lines, 100000);
	}
	while ((n = read(c->reader, text, sizeof(text))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			whole += text[i] == '\n';
	}
	ck_assert_uint_eq(whole + 3, lines);
	log_info("again");
	ck_assert_uint_eq(log_dropped(), before + 3);
}

START_TEST(a_full_pipe_drops_lines_and_does_not_block)
{
	struct capture c;

	capture_pipe(&c);
	fill(&c);
	restore(&c);
}
END_TEST

START_TEST(a_full_socket_drops_lines_and_does_not_block)
{
	struct capture c;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	capture_pair(&c, fds);
	fill(&c);
	restore(&c);
}
END_TEST

START_TEST(a_reader_that_is_gone_ends_nobody)
{
	for (int sockets = 0; sockets < 2; sockets++) {
		uint64_t before = log_dropped();
		struct capture c;
		int fds[2];

		ck_assert_int_eq(sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds), 0);
		capture_pair(&c, fds);
		close(c.reader);
		c.reader = -1;
		signal(SIGPIPE, SIG_DFL);
		log_start("x", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, LOG_TARGET_STDERR);
		log_info("nobody hears");
		restore(&c);
		ck_assert_uint_eq(log_dropped(), before + 1);
	}
}
END_TEST

START_TEST(a_closed_stderr_drops_lines)
{
	uint64_t before = log_dropped();
	struct capture c;

	capture_pipe(&c);
	close(STDERR_FILENO);
	log_start("x", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, LOG_TARGET_STDERR);
	errno = ENOLINK;
	log_info("nobody hears");
	int left = errno;
	restore(&c);
	ck_assert_uint_eq(log_dropped(), before + 1);
	ck_assert_int_eq(left, ENOLINK);
}
END_TEST

START_TEST(quoted_words_from_outside_stay_in_their_quotes)
{
	static const struct {
		const char *text;
		size_t len, size;
		const char *quoted;
	} cases[] = {
		{"abc", 3, 64, "\"abc\""},
		{"", 0, 8, "\"\""},
		{"a\"b\\c", 5, 64, "\"a\\\"b\\\\c\""},
		{"a\nb\0c", 5, 64, "\"a\\nb\\x00c\""},
		{"\xc3\xa9\xc3", 3, 64, "\"\xc3\xa9\\xc3\""},
		{"\xc2\x9b", 2, 64, "\"\\u009b\""},
		{"abcdefgh", 8, 64, "\"abcdefgh\""},
		{"abcdefgh", 8, 10, "\"abcd\"..."},
		{"abcdefgh", 8, 8, "\"ab\"..."},
		{"ab\x01", 3, 8, "\"ab\"..."},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[64];

		memset(out, 'X', sizeof(out));
		ck_assert_ptr_eq(log_quote(cases[i].text, cases[i].len, out, cases[i].size), out);
		ck_assert_str_eq(out, cases[i].quoted);
	}
}
END_TEST

RUN_TESTS("log", a_line_has_time_program_level_and_text, lines_below_the_level_are_not_written,
	  text_can_not_forge_a_second_line, a_json_line_reads_back_as_it_was_said,
	  a_workers_lines_have_its_number, a_long_message_is_cut_and_its_line_stays_whole,
	  the_journal_gets_priorities_and_no_time, a_full_pipe_drops_lines_and_does_not_block,
	  a_full_socket_drops_lines_and_does_not_block, a_reader_that_is_gone_ends_nobody,
	  a_closed_stderr_drops_lines, quoted_words_from_outside_stay_in_their_quotes)
