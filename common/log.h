/* log: one event, one line: verb, object, cause. The only module with state of its own (level,
 * format, target).
 *
 * Text goes to stderr with journald's priority `<N>` when JOURNAL_STREAM says that stderr is the
 * journal, else with a time stamp; json writes one object a line. A line that can't be written at
 * once (full pipe, full disk) is dropped and counted: logging never blocks and never fails. What a
 * client can provoke is counted elsewhere and logged at debug only, but for refusals (trail.h). */
#ifndef TIDINGS_COMMON_LOG_H
#define TIDINGS_COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum log_target { LOG_TARGET_STDERR, LOG_TARGET_SYSLOG };

/* program: a static name, e.g. "tidings-streamer". Call once; before it, lines go to stderr at
 * level info. */
void log_start(const char *program, enum log_level level, enum log_format format,
	       enum log_target target);

/* In a worker: its number stands in every line from here on, as `worker 2: ` or, in JSON, as a
 * member "worker". 0: none, as at first. */
void log_worker(unsigned number);

bool log_enabled(enum log_level level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Words from outside for a log line: quoted, control characters and quotes escaped, cut. Writes to
 * out (size >= 8) and returns it. */
char *log_quote(const char *text, size_t len, char *out, size_t size);

/* Lines dropped so far. */
uint64_t log_dropped(void);

#endif
