/* topic: legal names, and the Redis names made of them. */
#ifndef TIDINGS_COMMON_TOPIC_H
#define TIDINGS_COMMON_TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include "common/span.h"

#define TOPIC_MAX_BYTES 200

/* What is allowed, in words, for messages to people. */
#define TOPIC_RULE "1 to 200 of A-Z a-z 0-9 . _ : - @ / ~ + =, the first a letter or digit"

/* True for 1..200 bytes of `A-Z a-z 0-9 . _ : - @ / ~ + =`, the first a letter or digit. */
bool topic_valid(const char *name, size_t len);

/* Names beginning `sse:` are ours (with an empty prefix they would meet our own keys and channels).
 */
bool topic_reserved(const char *name, size_t len);

/* One character of a topic, also the ones that a topic_prefix may hold. */
bool topic_char(char c);

/* The longest name that any of these makes: prefix, ':', "sse:log:", topic. A prefix has at most
 * TOPIC_MAX_BYTES. */
#define TOPIC_KEY_MAX_BYTES (TOPIC_MAX_BYTES * 2 + 32)

/* channel = topic, or prefix:topic. Writes the name with a NUL to out[TOPIC_KEY_MAX_BYTES]; returns
 * its length. */
size_t topic_channel(const char *prefix, struct span topic, char *out);

/* The topic of a channel, or {NULL,0} when the channel does not carry the prefix. */
struct span topic_of_channel(const char *prefix, struct span channel);

/* A key of ours: `[prefix:]sse:` + name, e.g. name "log:" and topic "a" give `sse:log:a`. As
 * topic_channel. */
size_t topic_key(const char *prefix, const char *name, struct span topic, char *out);

#endif
