/* fastcgi_load: asks publish as fast as it answers, as a web server does: one FastCGI request a
 * connection, a fixed number of them under way at any time. One thread, one poll loop, requests
 * made beforehand, so that it costs little beside what it measures; it says how much.
 *
 *   fastcgi_load SOCKET UNDER_WAY SECONDS TOPICS DATA_BYTES EVENTS
 *
 * SOCKET: the unix socket that the processes listen at. Each request holds EVENTS events (an array
 * when above 1) of DATA_BYTES of data for TOPICS topics in turn. Prints one line of JSON. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/num.h"

enum { BEGIN_REQUEST = 1, PARAMS = 4, STDIN = 5, STDOUT = 6 };

#define HEADER_BYTES     8
#define RECORD_MAX_BYTES 65528
#define REQUEST_MAX      (64 * 1024 * 1024)
#define UNDER_WAY_MAX    256
#define TOPICS_MAX       100000

struct load {
	struct sockaddr_un address;
	uint64_t under_way, seconds, topics, data_bytes, events;
	struct buf *requests; /* one for each topic that an array may begin with */
	uint64_t next, ok, other;
	char refusal[512]; /* the first answer that was not 200 */
};

struct slot {
	int fd;
	size_t len;
	char answer[128 * 1024];
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void must(int rc)
{
	if (rc < 0) {
		errno = -rc;
		die("fastcgi_load");
	}
}

/* ---- requests ---- */

static void add_record(struct buf *b, int kind, const char *content, size_t len)
{
	unsigned char header[HEADER_BYTES] = {1, (unsigned char)kind,       0,
					      1, (unsigned char)(len >> 8), (unsigned char)len};

	must(buf_append(b, header, sizeof(header)));
	must(buf_append(b, content, len));
}

static void add_param(struct buf *b, const char *name, const char *value)
{
	must(buf_append_char(b, (char)strlen(name)));
	must(buf_append_char(b, (char)strlen(value)));
	must(buf_append_str(b, name));
	must(buf_append_str(b, value));
}

static void add_event(const struct load *load, uint64_t topic, struct buf *b)
{
	must(buf_printf(b, "{\"topic\":\"topic:%llu\",\"event\":\"changed\",\"data\":\"",
			(unsigned long long)(topic % load->topics)));
	for (uint64_t i = 0; i < load->data_bytes; i++)
		must(buf_append_char(b, 'x'));
	must(buf_append_str(b, "\"}"));
}

static void make_body(const struct load *load, uint64_t first, struct buf *body)
{
	if (load->events > 1)
		must(buf_append_char(body, '['));
	for (uint64_t i = 0; i < load->events; i++) {
		if (i > 0)
			must(buf_append_char(body, ','));
		add_event(load, first + i, body);
	}
	if (load->events > 1)
		must(buf_append_char(body, ']'));
}

static void make_request(const struct load *load, uint64_t first, struct buf *out)
{
	static const char begin[] = {0, 1, 0, 0, 0, 0, 0, 0}; /* a responder, not kept open */
	struct buf body, params;
	char length[NUM_U64_DIGITS + 1];

	buf_init(&body, REQUEST_MAX);
	buf_init(&params, RECORD_MAX_BYTES);
	buf_init(out, REQUEST_MAX);
	make_body(load, first, &body);
	length[num_format_u64(body.len, length)] = '\0';
	add_param(&params, "GATEWAY_INTERFACE", "CGI/1.1");
	add_param(&params, "SERVER_SOFTWARE", "fastcgi_load");
	add_param(&params, "SERVER_PROTOCOL", "HTTP/1.1");
	add_param(&params, "REQUEST_METHOD", "POST");
	add_param(&params, "REQUEST_URI", "/publish");
	add_param(&params, "SCRIPT_NAME", "/publish");
	add_param(&params, "REMOTE_ADDR", "127.0.0.1");
	add_param(&params, "CONTENT_TYPE", "application/json");
	add_param(&params, "CONTENT_LENGTH", length);
	add_record(out, BEGIN_REQUEST, begin, sizeof(begin));
	add_record(out, PARAMS, params.data, params.len);
	add_record(out, PARAMS, "", 0);
	for (size_t at = 0; at < body.len; at += RECORD_MAX_BYTES) {
		size_t left = body.len - at;

		add_record(out, STDIN, body.data + at,
			   left < RECORD_MAX_BYTES ? left : RECORD_MAX_BYTES);
	}
	add_record(out, STDIN, "", 0);
	buf_done(&params);
	buf_done(&body);
}

static void make_requests(struct load *load)
{
	load->requests = calloc(load->topics, sizeof(*load->requests));
	if (!load->requests)
		die("calloc");
	for (uint64_t i = 0; i < load->topics; i++)
		make_request(load, i * load->events, &load->requests[i]);
}

/* ---- one connection after the other in each slot ---- */

static void send_all(int fd, const struct buf *request)
{
	for (size_t done = 0; done < request->len;) {
		ssize_t n = send(fd, request->data + done, request->len - done, MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		done += (size_t)n;
	}
}

static void begin(struct load *load, struct slot *slot)
{
	slot->len = 0;
	slot->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (slot->fd < 0 ||
	    connect(slot->fd, (struct sockaddr *)&load->address, sizeof(load->address)) < 0)
		die("connect");
	send_all(slot->fd, &load->requests[load->next++ % load->topics]);
}

/* The whole answer is there: the content of its first record begins with the status. */
static void count(struct load *load, const struct slot *slot)
{
	static const char ok[] = "Status: 200 ";
	const char *text = slot->answer + HEADER_BYTES;

	if (slot->len > HEADER_BYTES + sizeof(ok) && slot->answer[1] == STDOUT &&
	    memcmp(text, ok, sizeof(ok) - 1) == 0) {
		load->ok++;
		return;
	}
	if (load->other++ == 0 && slot->len > HEADER_BYTES)
		snprintf(load->refusal, sizeof(load->refusal), "%.*s",
			 (int)(slot->len - HEADER_BYTES), text);
}

/* Returns true when the answer is complete and the connection closed. */
static bool receive(struct load *load, struct slot *slot)
{
	ssize_t n = read(slot->fd, slot->answer + slot->len, sizeof(slot->answer) - slot->len);

	if (n > 0) {
		slot->len += (size_t)n;
		return false;
	}
	if (n < 0 && errno != ECONNRESET)
		die("read");
	close(slot->fd);
	count(load, slot);
	return true;
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(struct load *load, struct slot *slots)
{
	struct pollfd fds[UNDER_WAY_MAX];
	double end = now(CLOCK_MONOTONIC) + (double)load->seconds;
	uint64_t open = load->under_way;

	for (uint64_t i = 0; i < load->under_way; i++) {
		begin(load, &slots[i]);
		fds[i] = (struct pollfd){.fd = slots[i].fd, .events = POLLIN};
	}
	while (open > 0) {
		if (poll(fds, load->under_way, -1) < 0)
			die("poll");
		bool over = now(CLOCK_MONOTONIC) >= end;
		for (uint64_t i = 0; i < load->under_way; i++) {
			if (fds[i].fd < 0 || !fds[i].revents || !receive(load, &slots[i]))
				continue;
			if (over) {
				fds[i].fd = -1;
				open--;
			} else {
				begin(load, &slots[i]);
				fds[i].fd = slots[i].fd;
			}
		}
	}
}

/* ---- the command line ---- */

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t value;

	if (num_parse_u64(text, strlen(text), 1, max, &value) < 0) {
		fprintf(stderr, "fastcgi_load: %s is not 1..%llu\n", text, (unsigned long long)max);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	struct load load = {.address = {.sun_family = AF_UNIX}};
	struct slot *slots;
	double begun;

	if (argc != 7 || strlen(argv[1]) >= sizeof(load.address.sun_path)) {
		fputs("usage: fastcgi_load SOCKET UNDER_WAY SECONDS TOPICS DATA_BYTES EVENTS\n",
		      stderr);
		return 2;
	}
	memcpy(load.address.sun_path, argv[1], strlen(argv[1]));
	load.under_way = number(argv[2], UNDER_WAY_MAX);
	load.seconds = number(argv[3], 3600);
	load.topics = number(argv[4], TOPICS_MAX);
	load.data_bytes = number(argv[5], 1000000);
	load.events = number(argv[6], 1000);
	make_requests(&load);
	slots = calloc(load.under_way, sizeof(*slots));
	if (!slots)
		die("calloc");
	begun = now(CLOCK_MONOTONIC);
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	run(&load, slots);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("{\"seconds\":%.4f,\"ok\":%llu,\"other\":%llu,\"events\":%llu,\"cpu_seconds\":%.4f}"
	       "\n",
	       now(CLOCK_MONOTONIC) - begun, (unsigned long long)load.ok,
	       (unsigned long long)load.other, (unsigned long long)(load.ok * load.events), cpu);
	if (load.other > 0)
		fprintf(stderr, "fastcgi_load: an answer that was not 200: %s\n", load.refusal);
	for (uint64_t i = 0; i < load.topics; i++)
		buf_done(&load.requests[i]);
	free(load.requests);
	free(slots);
	return 0;
}
