/* decode: from the body of a request to events that may be published. Every rule of the contract
 * about what a request says is checked here; who may say it is access's affair. */
#ifndef TIDINGS_PUBLISHER_DECODE_H
#define TIDINGS_PUBLISHER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include "common/event.h"
#include "publisher/charset.h"

struct response;

#define DECODE_MAX_EVENTS 1000 /* of one batch */
#define DECODE_MAX_TOPICS 1000 /* of one event */
#define DECODE_MAX_COPIES                                                                          \
	10000 /* events of one request, each counted once a topic: bounds what Redis does at once  \
	       */
#define DECODE_MAX_KEY 255 /* bytes of an idempotency key */

struct decode_media {
	bool form; /* else JSON */
	enum charset charset;
};

struct decode_block; /* memory of a publication */

struct publication {
	struct event
		*events; /* at least one; spans into the body and into memory of the publication */
	size_t n_events;
	bool batch;                  /* to be answered with `ids` */
	struct span idempotency_key; /* the member; at == NULL: none */
	struct span *topics;         /* of all events, one after the other */
	size_t n_topics;
	struct decode_block *memory;
};

/* Reads a Content-Type (may be NULL). Returns 0, or -1 with the 415 in r. */
int decode_content_type(const char *content_type, struct decode_media *media, struct response *r);

/* Reads a body, which must outlive *p. Returns 0, or -1 with the answer in r; *p is to be ended by
 * publication_done either way. max_message: no form text is made longer than this in a message (the
 * exact limit is checked later). */
int decode_body(struct span body, const struct decode_media *media, size_t max_message,
		struct publication *p, struct response *r);

void publication_done(struct publication *p);

/* Says that there is no body. Returns -1. */
int decode_refuse_empty(struct response *r);

/* An idempotency key from header or member: 1..255 bytes. Returns 0, or -1 with the 422 in r. */
int decode_check_idempotency_key(struct span key, const char *field, struct response *r);

#endif
