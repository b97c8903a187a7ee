/* auth_told: what one call of the auth URL came to, for each topic that it was about. */
#ifndef TIDINGS_STREAMER_AUTH_TOLD_H
#define TIDINGS_STREAMER_AUTH_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "streamer/auth_reply.h"

struct auth_batch;
struct auth_complaint;
struct auth_http_answer;

struct auth_told {
	struct auth_verdict verdict; /* of all topics, but for: */
	uint8_t *outcomes;           /* enum auth_outcome of each one; owned; NULL: see verdict */
	bool failed;                 /* the auth URL was not able to answer */
};

/* Reads an answer to `question` that came `now`; batch: it has the form for many topics. What is
 * wrong with it is said on the log. Without memory all are busy. */
void auth_told_read(struct auth_told *t, const struct auth_batch *question, bool batch,
		    const struct auth_http_answer *answer, double now,
		    struct auth_complaint *complaint);
void auth_told_done(struct auth_told *t);

/* Of topic number i of the question. */
const struct auth_verdict *auth_told_of(const struct auth_told *t, size_t i);

/* Of all n of them, as one: denied when one is, else busy when one is. */
enum auth_outcome auth_told_whole(const struct auth_told *t, size_t n);

#endif
