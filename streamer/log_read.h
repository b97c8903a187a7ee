/* log_read: what is asked of the logs in Redis, and what they answer: a position, and the events
 * between older positions and it (replay.lua). Plain data, between those who know streams and the
 * one who knows the connection. */
#ifndef TIDINGS_STREAMER_LOG_READ_H
#define TIDINGS_STREAMER_LOG_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/cursor.h"
#include "common/span.h"

#define LOG_READ_TOPICS 1024 /* the most topics of one question */

struct log_from {
	struct span topic;
	struct event_id from; /* events above it are wanted */
};

struct log_question {
	struct event_id known;  /* the highest id that was ever heard of; zero: none */
	struct log_from newest; /* topic and id of the last event heard; topic.at == NULL: none */
	struct span server, known_by; /* who is asked, and who gave `known`; empty where there is
					 but one */
	const struct log_from *topics;
	size_t n;         /* at most LOG_READ_TOPICS; 0: a position is wanted alone */
	bool revocations; /* those in force are wanted, too */
};

/* As the publisher wrote it (control.lua). */
struct log_revocation {
	struct span text; /* `+` and a selector, or `-` where it was lifted */
	uint64_t left_ms;
};

struct log_entry {
	struct event_id id;
	size_t topic; /* its number in the question */
	struct span message;
	bool copy;            /* the message is that of the entry before, but for: */
	struct event_id prev; /* of a copy: the id of its topic's event before it */
};

struct log_answer {
	struct event_id at;      /* no later event has an id at or below it */
	struct event_id last;    /* what Redis knew as its last id before; zero: none */
	struct event_id mark;    /* below it Redis may have lost events; zero: none */
	struct event_id floor;   /* the index knows no topics that were silent since; zero: none */
	struct event_id through; /* all entries up to here are in the answer */
	bool complete;           /* through == at */
	const struct event_id *last_ids; /* of each topic in question; zero: no news since `from` */
	const struct log_entry *entries; /* in the order of ids */
	size_t n_entries;
	const struct log_revocation *revocations;
	size_t n_revocations;
};

#endif
