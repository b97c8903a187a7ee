/* load_options: the command line of the load generator. */
#ifndef TIDINGS_BENCH_LOAD_OPTIONS_H
#define TIDINGS_BENCH_LOAD_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "bench/mark.h"

#define LOAD_PIDS 128

enum load_mode { LOAD_LAT, LOAD_FAN, LOAD_CONNECT, LOAD_HOLD, LOAD_PUBLISH };

/* How events get to the server. */
enum load_way {
	LOAD_NO_WAY,
	LOAD_TO_FLOOR, /* a line and the bytes, to its control port */
	LOAD_TO_REDIS, /* PUBLISH of {"event":…,"data":…} */
	LOAD_TO_LOG,   /* append.lua, as publish calls it */
	LOAD_TO_HTTP,  /* POST */
};

struct load_options {
	enum load_mode mode;
	const char *mode_name;
	struct sockaddr_in server;
	const char *path;   /* %s: the topics of a stream, with commas */
	const char *opened; /* a stream is open when this has come; at most MARK_BYTES */
	const char *prefix; /* of topics' names */
	uint64_t streams, stalled, topics,
		per;        /* stream i listens to per topics, from i * per on */
	uint64_t under_way; /* connects at a time */
	uint64_t processes;
	bool pause; /* say `open`, and wait for a line before anything is published */

	enum load_way way;
	const char *to; /* behind the kind */
	const char *post_path;
	bool post_json;
	uint64_t connections; /* of LOAD_TO_HTTP */
	uint64_t bytes, window, rate, seconds, limit_seconds;
	uint64_t warm_up; /* events a topic before it is measured, at least */
	uint64_t events;  /* lat and fan end after so many; 0: by time alone */

	pid_t pids[LOAD_PIDS]; /* whose CPU is measured */
	size_t n_pids;
};

/* Ends the program with 2 and words when something is wrong, with 0 for --help. */
void load_options_read(struct load_options *o, int argc, char **argv);

/* Of how many streams a topic has. */
uint32_t load_listeners_of(const struct load_options *o, uint32_t topic);

#endif
