/* resume: one leg of a stream meets an answer: the stream opens, is told what can't be resumed,
 * gets what it missed as fast as its socket takes it, and becomes live. */
#ifndef TIDINGS_STREAMER_RESUME_H
#define TIDINGS_STREAMER_RESUME_H

#include <stdbool.h>
#include <stdint.h>

struct leg;
struct log_answer;

/* The most that somebody waits for being told that all of its topics are to be fetched anew. */
#define RESUME_DELAY_SECONDS 10

struct resume_round {
	const struct log_answer *answer;
	uint64_t since; /* in recent: what came since the question */
	bool fresh;     /* the leg waited for this very answer */
};

/* The leg takes what the answer has for it; the tails of its topics are of that answer. Afterwards
 * it is LIVE, PACED, WAITING (for the next round, its turn, or other legs), or its stream over. */
void resume_meet(struct leg *leg, const struct resume_round *round);

/* It is in no line any more. */
void resume_stop_waiting(struct leg *leg);

/* Ready for the next round; the caller calls rounds_go_on. */
void resume_wait(struct leg *leg);

#endif
