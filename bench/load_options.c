/* load_options: see load_options.h. */
#include "bench/load_options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/address.h"
#include "bench/tally.h"
#include "common/num.h"

#define STREAMS_A_PROCESS 15000 /* below the 20,000 descriptors that a process may have */

static const char usage[] =
	"usage: load MODE --server HOST:PORT [options]; one line of JSON comes out\n"
	"  lat      events at a fixed rate: the time each delivery takes\n"
	"  fan      as fast as possible, a window of events published and not yet everywhere\n"
	"  connect  streams opened: how many a second, until the first bytes of the body or head\n"
	"  hold     streams opened and held until the end of stdin\n"
	"  publish  as fast as answers come, so many under way\n"
	"a topic for each stream is fan with as many --topics as --streams; many topics a stream,\n"
	"--per; stalled ones beside others, lat with --stalled\n"
	"streams\n"
	"  --path /events?topic=%s   %s: the topics        --opened TEXT   a stream is open with "
	"it\n"
	"  --streams N  --topics T  --per K   stream i listens to K topics, from i*K modulo T on\n"
	"  --stalled N    further ones that never read     --under-way K   connects at a time\n"
	"  --processes P  --prefix TEXT   of topics\n"
	"  --pause        `open` is said then, and a line of stdin waited for\n"
	"publishing\n"
	"  --to floor:HOST:PORT[+COUNT]   so many control ports, from PORT on\n"
	"  --to redis:PATH|HOST:PORT      PUBLISH\n"
	"  --to log:PATH|HOST:PORT        by the script of publish: ids and logs\n"
	"  --to http:HOST:PORT            POST, keep-alive\n"
	"  --post /pub/%s   where; --json: as publish wants it   --connections W   of HTTP\n"
	"  --bytes B  --window W  --rate R   --seconds S   --events N: lat, fan: the end\n"
	"  --warm-up N   events a topic before it is measured, at least\n"
	"measuring\n"
	"  --pids 1,2   whose CPU is measured   --limit S   the run is ended after so long\n";

static void refuse(const char *what, const char *value)
{
	fprintf(stderr, "load: %s: %s\n", what, value);
	exit(2);
}

static uint64_t number(const char *name, const char *text, uint64_t min, uint64_t max)
{
	uint64_t value = 0;

	if (num_parse_u64(text, strlen(text), min, max, &value) < 0)
		refuse(name, text);
	return value;
}

/* The format goes to snprintf: it holds one %s and no other %. */
static const char *template_of(const char *text)
{
	const char *percent = strchr(text, '%');

	if (!percent || percent[1] != 's' || strchr(percent + 1, '%'))
		refuse("a path with one %s", text);
	return text;
}

static void read_way(struct load_options *o, const char *text)
{
	static const struct {
		const char *kind;
		enum load_way way;
	} ways[] = {{"floor:", LOAD_TO_FLOOR},
		    {"redis:", LOAD_TO_REDIS},
		    {"log:", LOAD_TO_LOG},
		    {"http:", LOAD_TO_HTTP}};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strncmp(text, ways[i].kind, strlen(ways[i].kind)) == 0) {
			o->way = ways[i].way;
			o->to = text + strlen(ways[i].kind);
		}
	if (o->way == LOAD_NO_WAY)
		refuse("--to", text);
}

static void read_pids(struct load_options *o, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, ",");
		uint64_t pid = 0;

		if (o->n_pids == LOAD_PIDS || num_parse_u64(text, len, 1, 1 << 30, &pid) < 0)
			refuse("--pids", text);
		o->pids[o->n_pids++] = (pid_t)pid;
		text += len + (text[len] == ',');
	}
}

enum { OPTION_FIRST_NUMBER = 256, OPTION_TEXT = 512 };

static const struct {
	const char *name;
	size_t at;
	uint64_t min, max;
} numbers[] = {
	{"streams", offsetof(struct load_options, streams), 0, 1000000},
	{"stalled", offsetof(struct load_options, stalled), 0, 15000},
	{"topics", offsetof(struct load_options, topics), 1, 1000000},
	{"per", offsetof(struct load_options, per), 1, 64},
	{"under-way", offsetof(struct load_options, under_way), 1, 100000},
	{"processes", offsetof(struct load_options, processes), 1, TALLY_PROCESSES},
	{"connections", offsetof(struct load_options, connections), 1, 256},
	{"bytes", offsetof(struct load_options, bytes), MARK_BYTES, 65536},
	{"window", offsetof(struct load_options, window), 1, 4096},
	{"rate", offsetof(struct load_options, rate), 1, 100000},
	{"events", offsetof(struct load_options, events), 1, 1000000000},
	{"seconds", offsetof(struct load_options, seconds), 1, 600},
	{"limit", offsetof(struct load_options, limit_seconds), 1, 3600},
	{"warm-up", offsetof(struct load_options, warm_up), 0, 1000},
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

enum {
	OPTION_SERVER = OPTION_TEXT,
	OPTION_PATH,
	OPTION_OPENED,
	OPTION_PREFIX,
	OPTION_TO,
	OPTION_POST,
	OPTION_JSON,
	OPTION_PIDS,
	OPTION_PAUSE,
	OPTION_HELP,
	OPTION_END,
	WORDS = OPTION_END - OPTION_SERVER,
};

static void take(struct load_options *o, int option, const char *value)
{
	switch (option) {
	case OPTION_SERVER:
		if (!address_parse(value, &o->server))
			refuse("--server", value);
		break;
	case OPTION_PATH: o->path = template_of(value); break;
	case OPTION_OPENED: o->opened = value; break;
	case OPTION_PREFIX: o->prefix = value; break;
	case OPTION_TO: read_way(o, value); break;
	case OPTION_POST: o->post_path = value; break;
	case OPTION_JSON: o->post_json = true; break;
	case OPTION_PIDS: read_pids(o, value); break;
	case OPTION_PAUSE: o->pause = true; break;
	case OPTION_HELP: fputs(usage, stdout); exit(0);
	default: fputs(usage, stderr); exit(2);
	}
}

static void read_words(struct load_options *o, int argc, char **argv)
{
	struct option words[WORDS + NUMBERS + 1] = {
		{"server", required_argument, NULL, OPTION_SERVER},
		{"path", required_argument, NULL, OPTION_PATH},
		{"opened", required_argument, NULL, OPTION_OPENED},
		{"prefix", required_argument, NULL, OPTION_PREFIX},
		{"to", required_argument, NULL, OPTION_TO},
		{"post", required_argument, NULL, OPTION_POST},
		{"json", no_argument, NULL, OPTION_JSON},
		{"pids", required_argument, NULL, OPTION_PIDS},
		{"pause", no_argument, NULL, OPTION_PAUSE},
		{"help", no_argument, NULL, OPTION_HELP},
	};
	int option;

	for (size_t i = 0; i < NUMBERS; i++)
		words[WORDS + i] = (struct option){numbers[i].name, required_argument, NULL,
						   OPTION_FIRST_NUMBER + (int)i};
	while ((option = getopt_long(argc, argv, "", words, NULL)) != -1) {
		size_t i = (size_t)(option - OPTION_FIRST_NUMBER);

		if (option >= OPTION_FIRST_NUMBER && i < NUMBERS)
			*(uint64_t *)(void *)((char *)o + numbers[i].at) =
				number(numbers[i].name, optarg, numbers[i].min, numbers[i].max);
		else
			take(o, option, optarg);
	}
}

static enum load_mode mode_of(const char *name)
{
	static const char *const names[] = {"lat", "fan", "connect", "hold", "publish"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum load_mode)i;
	fputs(usage, stderr);
	exit(2);
}

static void check(struct load_options *o)
{
	uint64_t all = o->streams + o->stalled;
	bool listens = o->mode != LOAD_PUBLISH || o->streams > 0;
	bool publishes = o->mode != LOAD_CONNECT && o->mode != LOAD_HOLD;

	if (listens && (o->server.sin_port == 0 || o->streams == 0))
		refuse("--server and --streams", "must be given");
	if (publishes && o->way == LOAD_NO_WAY)
		refuse("--to", "must be given");
	if (o->way == LOAD_TO_HTTP && !o->post_json)
		template_of(o->post_path);
	if (strlen(o->opened) > MARK_BYTES)
		refuse("--opened is too long", o->opened);
	if (publishes && listens && o->streams * o->per < o->topics)
		refuse("--topics", "some have no listener");
	if (o->per > o->topics)
		refuse("--per", "more than there are topics");
	if (o->processes == 0)
		o->processes = all / STREAMS_A_PROCESS + 1;
	if (o->processes > TALLY_PROCESSES || all / o->processes > 19000)
		refuse("--processes", "20,000 descriptors each");
}

void load_options_read(struct load_options *o, int argc, char **argv)
{
	*o = (struct load_options){
		.path = "/events?topic=%s",
		.opened = "\r\n\r\n",
		.prefix = "",
		.topics = 1,
		.per = 1,
		.under_way = 512,
		.post_path = "/pub/%s",
		.connections = 1,
		.bytes = 150,
		.window = 64,
		.rate = 20,
		.seconds = 4,
		.limit_seconds = 120,
	};
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		fputs(usage, argc < 2 ? stderr : stdout);
		exit(argc < 2 ? 2 : 0);
	}
	o->mode_name = argv[1];
	o->mode = mode_of(argv[1]);
	read_words(o, argc - 1, argv + 1);
	check(o);
}

uint32_t load_listeners_of(const struct load_options *o, uint32_t topic)
{
	uint64_t ends = o->streams * o->per;

	return (uint32_t)(ends / o->topics + (topic < ends % o->topics));
}
