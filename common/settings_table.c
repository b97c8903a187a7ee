/* settings_table: see settings_table.h. The order of the rows, that of enum setting, is the one in
 * which people meet them in the example file. */
#include "common/settings_table.h"

#include "common/log.h"

#define TEXT(value)     .type = SETTING_TEXT, .initial = value
#define LIST(value)     .type = SETTING_LIST, .initial = value
#define WORD(value)     .type = SETTING_WORD, .initial = value
#define WORDS(value)    .type = SETTING_WORDS, .initial = value
#define NUMBER(value)   .type = SETTING_NUMBER, .initial = value
#define RANGE(from, to) .min = from, .max = to, .allowed = #from ".." #to

#define ENDPOINT_RULE "host:port, [v6]:port or unix:/path (numeric addresses, localhost or *)"

const struct setting_row settings_table[SET_COUNT] = {
	[SET_REDIS_URL] =
		{
			.name = "redis_url",
			TEXT("redis://localhost:6379/0"),
			.allowed = "redis://[[user]:password@]host:port[/db], unix:/path[?db=N], "
				   "redis://a:7001,b:7002/0 (Cluster) or "
				   "redis+sentinel://h:26379,h2:26379/mymaster[/db]; "
				   "rediss://, rediss+sentinel:// over TLS",
			.help = "Where Redis is",
			.form = settings_form_redis_url,
			.required = true,
			.secret = true,
		},
	[SET_REDIS_PASSWORD_FILE] =
		{
			.name = "redis_password_file",
			TEXT(""),
			.allowed = "a path",
			.help = "The password, when redis_url has none; read anew for each "
				"connection",
			.form = settings_form_path,
		},
	[SET_REDIS_TIMEOUT_MS] =
		{
			.name = "redis_timeout_ms",
			NUMBER("1000"),
			RANGE(50, 60000),
			.help = "Longest wait for Redis: one connect, one command",
		},
	[SET_REDIS_TLS_CA] =
		{
			.name = "redis_tls_ca",
			TEXT("system"),
			.allowed = "a path, or system",
			.help = "Certificates of the authority that signed Redis's own, for "
				"rediss://",
			.form = settings_form_path,
			.required = true,
		},
	[SET_REDIS_TLS_VERIFY] =
		{
			.name = "redis_tls_verify",
			WORD("yes"),
			.allowed = "yes, no",
			.words = {[WORD_NO] = "no", [WORD_YES] = "yes"},
			.help = "Whether Redis's certificate is checked, for rediss://",
		},
	[SET_TOPIC_PREFIX] =
		{
			.name = "topic_prefix",
			TEXT(""),
			.allowed = "up to 200 of A-Z a-z 0-9 . _ : - @ / ~ + =",
			.help = "Put before each topic's name in Redis, as prefix:topic, to share "
				"a Redis",
			.form = settings_form_topic_prefix,
		},
	[SET_PARTITIONS] =
		{
			.name = "partitions",
			NUMBER("16"),
			RANGE(1, 1024),
			.help = "Partitions of a Redis Cluster, fixed for its life",
		},
	[SET_MAX_MESSAGE_SIZE] =
		{
			.name = "max_message_size",
			NUMBER("65536"),
			RANGE(1024, 1048576),
			.help = "Most bytes of one event's message as it goes through Redis",
		},
	[SET_MAX_BODY_SIZE] =
		{
			.name = "max_body_size",
			NUMBER("1048576"),
			RANGE(1024, 67108864),
			.help = "Most bytes of one publish request, which may be a batch",
		},
	[SET_HISTORY_SIZE] =
		{
			.name = "history_size",
			NUMBER("100"),
			RANGE(0, 100000),
			.help = "Events kept for each topic, for resuming; 0 keeps none",
		},
	[SET_HISTORY_SECONDS] =
		{
			.name = "history_seconds",
			NUMBER("300"),
			RANGE(1, 2592000),
			.help = "They are kept at least this long after the topic's last event",
		},
	[SET_PUBLISH_AUTH] =
		{
			.name = "publish_auth",
			WORD(NULL),
			.allowed = "token, remote_user, none",
			.words = {[PUBLISH_AUTH_TOKEN] = "token",
				  [PUBLISH_AUTH_REMOTE_USER] = "remote_user",
				  [PUBLISH_AUTH_NONE] = "none"},
			.help = "Who may publish: holders of a token, users that the web server "
				"signed in, everybody",
			.must_for = SETTINGS_PUBLISH,
			.advice = "say who may publish: token (then publish_tokens_file names the "
				  "tokens), remote_user (users whom the web server signed in) or "
				  "none (everybody who can reach it)",
		},
	[SET_PUBLISH_TOKENS_FILE] =
		{
			.name = "publish_tokens_file",
			TEXT(""),
			.allowed = "a path",
			.help = "The tokens, one a line: name token [+control] [topic or prefix* "
				"...]",
			.form = settings_form_path,
		},
	[SET_PUBLISH_WAIT_REPLICAS] =
		{
			.name = "publish_wait_replicas",
			NUMBER("0"),
			RANGE(0, 10),
			.help = "Redis replicas that must have an event before its publisher hears "
				"200",
		},
	[SET_RATE_LIMIT_PER_SECOND] =
		{
			.name = "rate_limit_per_second",
			NUMBER("0"),
			RANGE(0, 1000000),
			.help = "Most events a second, all publishers of this Redis together; 0 is "
				"no limit",
		},
	[SET_LISTEN] =
		{
			.name = "listen",
			LIST("127.0.0.1:8081"),
			.allowed = "a list of " ENDPOINT_RULE,
			.help = "Where the streamer takes listeners",
			.form = settings_form_endpoint,
			.required = true,
		},
	[SET_ADMIN_LISTEN] =
		{
			.name = "admin_listen",
			TEXT("127.0.0.1:8082"),
			.allowed = "same, or one of " ENDPOINT_RULE,
			.help = "Where the streamer shows metrics and status; same: on the "
				"addresses of listen",
			.form = settings_form_admin_listen,
			.required = true,
		},
	[SET_SSE_PATH] =
		{
			.name = "sse_path",
			TEXT("/events"),
			.allowed = "a path that begins with /, without ? # and blanks, not /health "
				   "or /metrics",
			.help = "The path of the streams",
			.form = settings_form_sse_path,
			.required = true,
		},
	[SET_WORKERS] =
		{
			.name = "workers",
			NUMBER("auto"),
			.min = 1,
			.max = 64,
			.allowed = "1..64, auto",
			.with_auto = true,
			.help = "Streamer processes on this machine; auto: one a core, or more "
				"for the files of max_connections",
		},
	[SET_MAX_CONNECTIONS] =
		{
			.name = "max_connections",
			NUMBER("100000"),
			RANGE(1, 10000000),
			.help = "Most open streams, all workers together",
		},
	[SET_MAX_CONNECTIONS_PER_IP] =
		{
			.name = "max_connections_per_ip",
			NUMBER("0"),
			RANGE(0, 10000000),
			.help = "Most open streams of one client address; 0 is no limit",
		},
	[SET_MAX_TOPICS] =
		{
			.name = "max_topics",
			NUMBER("64"),
			RANGE(1, 1024),
			.help = "Most topics of one stream",
		},
	[SET_MAX_QUEUE_SIZE] =
		{
			.name = "max_queue_size",
			NUMBER("100"),
			RANGE(10, 1000),
			.help = "Most events waiting unsent for one slow client",
		},
	[SET_MAX_QUEUE_BYTES] =
		{
			.name = "max_queue_bytes",
			NUMBER("1048576"),
			RANGE(65536, 1073741824),
			.help = "The same in bytes",
		},
	[SET_SLOW_CLIENT] =
		{
			.name = "slow_client",
			WORD("resume"),
			.allowed = "resume, conflate, drop",
			.words = {[SLOW_RESUME] = "resume",
				  [SLOW_CONFLATE] = "conflate",
				  [SLOW_DROP] = "drop"},
			.help = "Past these limits: close it, to come back and resume; keep the "
				"newest of a key; drop",
		},
	[SET_SPREAD_MS] =
		{
			.name = "spread_ms",
			NUMBER("0"),
			RANGE(0, 60000),
			.help = "One event to many listeners is spread over this time",
		},
	[SET_HEARTBEAT_SECONDS] =
		{
			.name = "heartbeat_seconds",
			NUMBER("15"),
			RANGE(5, 60),
			.help = "A sign of life goes down each stream this often",
		},
	[SET_HEARTBEAT] =
		{
			.name = "heartbeat",
			WORD("comment"),
			.allowed = "comment, event",
			.words = {[HEARTBEAT_COMMENT] = "comment", [HEARTBEAT_EVENT] = "event"},
			.help = "What that is: a comment that browsers pass over, or an event "
				"named ping",
		},
	[SET_RETRY_MS] =
		{
			.name = "retry_ms",
			NUMBER("3000"),
			RANGE(100, 600000),
			.help = "How long a browser waits before it connects again; each gets up "
				"to 20 % more or less",
		},
	[SET_AUTH] =
		{
			.name = "auth",
			WORDS(NULL),
			.allowed = "url, ticket, both (url,ticket), or public",
			.words = {"url", "public", "ticket"},
			.help = "Who may listen: those whom auth_url lets in, holders of a signed "
				"ticket, or everybody",
			.must_for = SETTINGS_STREAMER,
			.advice = "say who may listen: url (then auth_url is asked for each "
				  "topic), ticket (then ticket_keys_file names the keys) or public "
				  "(everybody)",
		},
	[SET_AUTH_URL] =
		{
			.name = "auth_url",
			TEXT(""),
			.allowed = "http://..., https://... or unix:/path:/uri; {topic} may stand "
				   "in it",
			.help = "Asked for each topic before a stream opens: 2xx lets in, 401 and "
				"403 refuse",
			.form = settings_form_auth_url,
			.secret = true,
		},
	[SET_AUTH_MODE] =
		{
			.name = "auth_mode",
			WORD("topic"),
			.allowed = "topic, batch",
			.words = {[AUTH_MODE_TOPIC] = "topic", [AUTH_MODE_BATCH] = "batch"},
			.help = "One call a topic, or one for all topics of a stream",
		},
	[SET_AUTH_TIMEOUT_MS] =
		{
			.name = "auth_timeout_ms",
			NUMBER("3000"),
			RANGE(50, 60000),
			.help = "Longest wait for one answer of auth_url",
		},
	[SET_AUTH_MAX_INFLIGHT] =
		{
			.name = "auth_max_inflight",
			NUMBER("64"),
			RANGE(1, 10000),
			.help = "Most calls of auth_url at once, all workers together; more wait "
				"in line",
		},
	[SET_AUTH_MAX_WAITING] =
		{
			.name = "auth_max_waiting",
			NUMBER("10000"),
			RANGE(0, 10000000),
			.help = "Most calls in that line; past it, new listeners are asked to come "
				"back later",
		},
	[SET_AUTH_RECHECK_SECONDS] =
		{
			.name = "auth_recheck_seconds",
			NUMBER("0"),
			.min = 5,
			.max = 86400,
			.zero = true,
			.allowed = "0, or 5..86400",
			.help = "Open streams are asked about anew within this time, and lose what "
				"is denied; 0 is never",
		},
	[SET_AUTH_FORWARD_HEADERS] =
		{
			.name = "auth_forward_headers",
			LIST("Authorization, Cookie, Origin, User-Agent, Accept-Language, "
			     "X-Request-Id"),
			.allowed = "a list of header names",
			.help = "Headers of the listener's request that auth_url gets to see",
			.form = settings_form_header_name,
		},
	[SET_TICKET_KEYS_FILE] =
		{
			.name = "ticket_keys_file",
			TEXT(""),
			.allowed = "a path",
			.help = "The keys that tickets are signed with, one a line: kid algorithm "
				"key",
			.form = settings_form_path,
		},
	[SET_TICKET_COOKIE] =
		{
			.name = "ticket_cookie",
			TEXT(""),
			.allowed = "the name of a cookie",
			.help = "A cookie that may hold the ticket; empty: none",
			.form = settings_form_cookie_name,
		},
	[SET_TICKET_RENEW_URL] =
		{
			.name = "ticket_renew_url",
			TEXT(""),
			.allowed = "a path that begins with /, http://... or https://...",
			.help = "Where a listener with an expired ticket is sent (307); empty: it "
				"gets 401",
			.form = settings_form_renew_url,
		},
	[SET_CORS_ORIGINS] =
		{
			.name = "cors_origins",
			LIST(""),
			.allowed = "a list of origins such as https://app.example.org, or * alone",
			.help = "Other sites whose pages may listen; * lets every site listen "
				"without credentials",
			.form = settings_form_origin,
		},
	[SET_TRUSTED_PROXIES] =
		{
			.name = "trusted_proxies",
			LIST("127.0.0.1, ::1, unix"),
			.allowed = "a list of address, address/prefix, unix",
			.help = "Front servers whose X-Forwarded-For is believed",
			.form = settings_form_proxy,
		},
	[SET_DRAIN_SECONDS] =
		{
			.name = "drain_seconds",
			NUMBER("10"),
			RANGE(0, 3600),
			.help = "When asked to stop, streams are told to come back spread over "
				"this time",
		},
	[SET_USER] =
		{
			.name = "user",
			TEXT(""),
			.allowed = "name or name:group",
			.help = "Started as root, the streamer becomes this user",
			.form = settings_form_path,
			.available = "",
		},
	[SET_STATS_FILE] =
		{
			.name = "stats_file",
			TEXT(""),
			.allowed = "a path",
			.help = "Counters that all processes of this machine share",
			.form = settings_form_path,
			.available = "",
		},
	[SET_LOG_LEVEL] =
		{
			.name = "log_level",
			WORD("info"),
			.allowed = "error, warn, info, debug",
			.words = {[LOG_LEVEL_ERROR] = "error",
				  [LOG_LEVEL_WARN] = "warn",
				  [LOG_LEVEL_INFO] = "info",
				  [LOG_LEVEL_DEBUG] = "debug"},
			.help = "The least important kind of log line that is written",
		},
	[SET_LOG_FORMAT] =
		{
			.name = "log_format",
			WORD("text"),
			.allowed = "text, json",
			.words = {[LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_JSON] = "json"},
			.help = "How log lines look",
		},
	[SET_LOG_TARGET] =
		{
			.name = "log_target",
			WORD("stderr"),
			.allowed = "stderr, syslog",
			.words = {[LOG_TARGET_STDERR] = "stderr", [LOG_TARGET_SYSLOG] = "syslog"},
			.help = "Where log lines go",
		},
};
