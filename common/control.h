/* control: what an application tells the streamers about listeners (docs/PROTOCOL.md): end their
 * streams, ask about them anew, keep them out for a time. The words that travel, and whom they
 * mean; both programs read and write them here. */
#ifndef TIDINGS_COMMON_CONTROL_H
#define TIDINGS_COMMON_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/span.h"
#include "common/topic.h"

#define CONTROL_TOPIC       "sse:control" /* the channel is this topic's; reserved, so nobody's */
#define CONTROL_USER_BYTES  256
#define CONTROL_ID_BYTES    64
#define CONTROL_MAX_SECONDS 2592000u
#define CONTROL_MAX_BYTES   4096 /* of a message */

enum control_kind {
	CONTROL_DISCONNECT, /* their streams end; they may come back, if they are let in */
	CONTROL_RECHECK,    /* their right to hear is asked for anew, now */
	CONTROL_REVOKE,     /* they may not hear it for so many seconds; 0: they may again */
};

/* Whom it means: the listeners of that user, and of these topics; neither: all. */
struct control_selector {
	size_t user_len, topic_len;      /* 0: whoever it is, whatever it is */
	char user[CONTROL_USER_BYTES];   /* UTF-8 without control characters */
	char topic[TOPIC_MAX_BYTES + 1]; /* a topic, or the beginning of topics and a `*` */
};

struct control {
	enum control_kind kind;
	struct control_selector who;
	uint32_t seconds;          /* of CONTROL_REVOKE */
	size_t id_len;             /* 0: it has none */
	char id[CONTROL_ID_BYTES]; /* the same in each copy */
};

struct control_error {
	const char *verb;  /* in whose selector it is; static; NULL: outside of any */
	const char *field; /* static; NULL: the whole, or the whole selector */
	const char *why;   /* static words for people */
	bool unreadable;   /* no JSON; else a rule is broken */
};

/* Reads `{"disconnect":{…}}`, `{"recheck":{…}}` or `{"revoke":{…,"seconds":N}}`, with {…} of
 * "user", "topic" (a topic or `beginning*`) or both, or `"all":true`; beside it an "id" may stand.
 * Whatever else stands there is an error: it might narrow whom it means. Returns 0, or -1 with
 * *error. */
int control_parse(struct span json, struct control *out, struct control_error *error);

/* The member that it is written as: `disconnect`, … */
const char *control_verb(enum control_kind kind);

struct buf;

/* Appends it as JSON, the same for the same. Returns 0 or what buf_append does. */
int control_format(const struct control *c, struct buf *out);

/* The selector alone: `{"user":"42","topic":"a*"}`, or `{"all":true}`. control_selector_parse reads
 * it; returns 0 or -1. */
int control_selector_format(const struct control_selector *who, struct buf *out);
int control_selector_parse(struct span json, struct control_selector *out);

/* True of a user whom a selector can name: not empty, not too long, UTF-8 without control
 * characters. */
bool control_user_valid(struct span user);

/* user.at == NULL: the listener is nobody by name. */
bool control_selects(const struct control_selector *who, struct span user, struct span topic);

/* The same of its user or topic alone. */
bool control_selects_user(const struct control_selector *who, struct span user);
bool control_selects_topic(const struct control_selector *who, struct span topic);

#endif
