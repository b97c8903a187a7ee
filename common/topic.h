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

/* A pattern is a topic, or the beginning of topics and a `*`, which alone is all of them. */
bool topic_pattern_valid(struct span pattern);
bool topic_pattern_open(struct span pattern); /* it ends in `*` */

/* pattern: valid. A pattern in the place of the topic fits when all of its topics do, for no topic
 * holds a `*`. */
bool topic_pattern_fits(struct span pattern, struct span topic);

/* One character of a topic, also the ones that a topic_prefix may hold. */
bool topic_char(char c);

/* The longest name that any of these makes: prefix, ':', "sse:{tag}:log:", topic. A prefix has at
 * most TOPIC_MAX_BYTES. */
#define TOPIC_KEY_MAX_BYTES   (TOPIC_MAX_BYTES * 2 + 64)
#define TOPIC_SPACE_MAX_BYTES (TOPIC_MAX_BYTES + 48)

/* Where the names of one Redis, or of one partition of a Cluster, begin:
 *
 *             key of ours                     channel of a topic
 *   Redis     `[prefix:]sse:` name            `[prefix:]` topic
 *   Cluster   `[prefix:]sse:{tag}:` name      `[prefix:]sse:{tag}:` topic
 *
 * so that on a Cluster keys and sharded channels of a partition have one slot, the tag's. */
struct topic_space {
	char keys[TOPIC_SPACE_MAX_BYTES], channels[TOPIC_SPACE_MAX_BYTES];
	size_t keys_len, channels_len;
};

/* prefix: checked, may be empty. tag: of the partition (common/partition.h), "" without a Cluster.
 */
void topic_space_init(struct topic_space *s, const char *prefix, const char *tag);

/* Writes the name of a topic's channel with a NUL to out[TOPIC_KEY_MAX_BYTES]; returns its length.
 */
size_t topic_channel(const struct topic_space *s, struct span topic, char *out);

/* The topic of a channel, or {NULL,0} when the channel does not belong to s. */
struct span topic_of_channel(const struct topic_space *s, struct span channel);

/* A key of ours: name "log:" and topic "a" give `sse:log:a`. As topic_channel. */
size_t topic_key(const struct topic_space *s, const char *name, struct span topic, char *out);

#endif
