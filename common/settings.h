/* settings: the one flat table of names (tidings.conf(5)): type, range, default, help; values from
 * defaults, a file, the environment and --set, each knowing its origin. Knows nothing of what the
 * values are for. */
#ifndef TIDINGS_COMMON_SETTINGS_H
#define TIDINGS_COMMON_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum setting {
	SET_REDIS_URL,
	SET_REDIS_PASSWORD_FILE,
	SET_REDIS_TIMEOUT_MS,
	SET_REDIS_TLS_CA,
	SET_REDIS_TLS_VERIFY,
	SET_TOPIC_PREFIX,
	SET_PARTITIONS,
	SET_MAX_MESSAGE_SIZE,
	SET_MAX_BODY_SIZE,
	SET_HISTORY_SIZE,
	SET_HISTORY_SECONDS,
	SET_PUBLISH_AUTH,
	SET_PUBLISH_TOKENS_FILE,
	SET_PUBLISH_WAIT_REPLICAS,
	SET_RATE_LIMIT_PER_SECOND,
	SET_LISTEN,
	SET_ADMIN_LISTEN,
	SET_SSE_PATH,
	SET_WORKERS,
	SET_MAX_CONNECTIONS,
	SET_MAX_CONNECTIONS_PER_IP,
	SET_MAX_TOPICS,
	SET_MAX_QUEUE_SIZE,
	SET_MAX_QUEUE_BYTES,
	SET_SLOW_CLIENT,
	SET_SPREAD_MS,
	SET_HEARTBEAT_SECONDS,
	SET_HEARTBEAT,
	SET_RETRY_MS,
	SET_AUTH,
	SET_AUTH_URL,
	SET_AUTH_MODE,
	SET_AUTH_TIMEOUT_MS,
	SET_AUTH_MAX_INFLIGHT,
	SET_AUTH_MAX_WAITING,
	SET_AUTH_RECHECK_SECONDS,
	SET_AUTH_FORWARD_HEADERS,
	SET_TICKET_KEYS_FILE,
	SET_TICKET_COOKIE,
	SET_TICKET_RENEW_URL,
	SET_CORS_ORIGINS,
	SET_TRUSTED_PROXIES,
	SET_DRAIN_SECONDS,
	SET_USER,
	SET_STATS_FILE,
	SET_LOG_LEVEL,
	SET_LOG_FORMAT,
	SET_LOG_TARGET,
	SET_COUNT,
};

/* Which program demands or reads a setting; both read all of the file, so that one file serves
 * both. */
enum settings_program { SETTINGS_PUBLISH = 1, SETTINGS_STREAMER = 2 };

/* Positions of the words in the word settings, as settings_word() gives them. */
enum { WORD_NO, WORD_YES };
enum { PUBLISH_AUTH_TOKEN, PUBLISH_AUTH_REMOTE_USER, PUBLISH_AUTH_NONE };
enum { SLOW_RESUME, SLOW_CONFLATE, SLOW_DROP };
enum { HEARTBEAT_COMMENT, HEARTBEAT_EVENT };
enum { AUTH_MODE_TOPIC, AUTH_MODE_BATCH };

/* Of `auth`, which may have several words: bits. */
enum { AUTH_URL = 1, AUTH_PUBLIC = 2, AUTH_TICKET = 4 };

#define SETTINGS_ERROR_BYTES 1024

struct settings; /* opaque */

struct settings *settings_new(void); /* every value its default; NULL when out of memory */
void settings_free(struct settings *s);

/* Each returns 0, or -1 with one line for people in error[SETTINGS_ERROR_BYTES]: the setting, where
 * it came from (file:line, variable, --set), the value (secrets masked) and what is allowed. Call
 * them in this order, the later wins. */
int settings_read_file(struct settings *s, const char *path, char *error);
/* envp: SSE_* and the aliases of tidings.conf(5). An unknown SSE_* variable only warns: *warn(name)
 * is called (may be NULL). */
int settings_read_environment(struct settings *s, char *const *envp, void (*warn)(const char *name),
			      char *error);
int settings_set(struct settings *s, const char *assignment,
		 char *error); /* "name=value" of --set */

/* Checks what `program` demands as a whole: must-set settings, `*` with credentials, values not
 * available yet. */
int settings_check(const struct settings *s, enum settings_program program, char *error);

/* Typed values; the setting has that type (an assert of ours otherwise). Strings are borrowed until
 * s changes. */
uint64_t settings_number(const struct settings *s, enum setting name);
const char *settings_text(const struct settings *s, enum setting name); /* "" when empty */
unsigned settings_word(const struct settings *s, enum setting name);
unsigned settings_words(const struct settings *s, enum setting name); /* auth: bits */
bool settings_is_auto(const struct settings *s, enum setting name);   /* workers */

/* A list: comma-separated, trimmed, empties dropped. settings_list_item copies item i with its NUL
 * to out, returns its length or -1 when there is none (or it does not fit: no item of a checked
 * list is longer than 1023). */
size_t settings_list_count(const struct settings *s, enum setting name);
int settings_list_item(const struct settings *s, enum setting name, size_t i, char *out,
		       size_t size);

/* Where the value in effect came from: "default", "conf/tidings.conf:12", "SSE_LISTEN", "--set". */
const char *settings_origin(const struct settings *s, enum setting name);

/* --print-config: `name = value  # origin` for all, secrets masked. */
void settings_print(const struct settings *s, FILE *out);

/* Name and one-line help, for man pages and tests. */
const char *settings_name(enum setting name);
const char *settings_help(enum setting name);
/* "50..60000", "resume, conflate, drop", … */
const char *settings_allowed(enum setting name);
/* The default as text. */
const char *settings_default(enum setting name);

#endif
