/* event: what publisher and streamer share, the wire contract. One event as people publish it, and
 * the JSON message that carries it through Redis:
 *
 *   {"event":"comment_created","data":{"id":1},"id":"1764000000000-0","prev":"1763999999000-3","topics":["a","b"],"key":"k"}
 *
 * event, data and id are the message of fastapi-sse-events 0.2.0, readable for its subscribers.
 * `prev` is the id of the topic's event before this one ("0-0" when the index knows none) and marks
 * a message as ours; `topics` stands there when the event went to more than one; `key` when it was
 * published with one. data is any JSON value, byte for byte as it was published; a JSON string is
 * delivered as its text. */
#ifndef TIDINGS_COMMON_EVENT_H
#define TIDINGS_COMMON_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include "common/cursor.h"
#include "common/span.h"

struct buf;

#define EVENT_NAME_MAX_BYTES 128
#define EVENT_KEY_MAX_BYTES  200
#define EVENT_DATA_DEPTH     64 /* data may nest this deep */

/* True for 1..128 bytes of UTF-8 without control characters. */
bool event_name_valid(const char *name, size_t len);

/* Names beginning `sse.` are ours. */
bool event_name_reserved(const char *name, size_t len);

/* ---- encoding, for the publisher ---- */

/* One event ready to be encoded. All spans borrowed; all of it valid (the decoder of the request
 * saw to it). */
struct event {
	struct span name;          /* plain text */
	struct span data;          /* one JSON value, trimmed */
	struct span key;           /* plain text; at == NULL: none */
	const struct span *topics; /* distinct, valid */
	size_t n_topics;           /* at least 1 */
};

/* The message in three parts; Redis's script puts the id behind head and the topic's previous id
 * behind middle. */
struct event_parts {
	struct span head, middle, tail; /* views into the buffer given to event_encode */
};

/* Appends the three parts to b. Views stay good until b changes again.
 * Returns 0, -ENOBUFS when b's maximum would be passed, -ENOMEM; b's len is unchanged on error. */
int event_encode(const struct event *e, struct buf *b, struct event_parts *parts);

/* The most that the finished message can measure: what max_message_size is compared with. */
size_t event_message_bytes(const struct event_parts *parts);

/* ---- decoding, for the streamer ---- */

enum event_decode_status {
	EVENT_OK,
	EVENT_NOT_JSON,  /* not strict JSON, or not an object */
	EVENT_NOT_EVENT, /* no string `event`, or a name that can't be delivered (empty, control
			    characters, too long) */
	EVENT_DECODE_NOMEM,
};

struct event_message {
	struct span name;     /* plain text: a view into the message, or into `owned` where it had
				 escapes */
	struct span data;     /* the JSON value as it came, `{}` when there was none */
	struct event_id id;   /* of ours only, else zero */
	struct event_id prev; /* of ours only, else zero */
	bool ours;            /* has a valid id and a valid prev */
	struct span key;    /* of ours only: JSON string with quotes as it came; at == NULL: none */
	struct span topics; /* of ours only: JSON array as it came; at == NULL: one topic */
	char *owned;        /* what had to be unescaped; freed by event_message_done */
};

/* Reads a message from a Redis channel or log. Of a member that is there twice the last one counts;
 * the whole message may nest EVENT_DATA_DEPTH + 1 deep. *m is written on EVENT_OK alone and borrows
 * from text. Names that are reserved (`sse.`) are refused as EVENT_NOT_EVENT: only the streamer
 * itself may say them. */
enum event_decode_status event_decode(const char *text, size_t len, struct event_message *m);

void event_message_done(struct event_message *m);

/* What is delivered: a JSON string as its text, any other value as its bytes. Appends to b, which
 * needs room for data.len bytes (the text is never longer). Returns 0, -ENOBUFS, -ENOMEM. */
int event_data_text(struct span data, struct buf *b);

#endif
