/* auth_breaker: when the auth URL fails again and again it is left alone, but for one call a
 * second. Pure; the clock is passed in. */
#ifndef TIDINGS_STREAMER_AUTH_BREAKER_H
#define TIDINGS_STREAMER_AUTH_BREAKER_H

#include <stdbool.h>

#define AUTH_BREAKER_FAILURES    10 /* in a row, which open it */
#define AUTH_BREAKER_TRY_SECONDS 1.

/* All zeros: closed. */
struct auth_breaker {
	bool open;
	unsigned failures; /* since the last answer that was none */
	double next_try;
};

enum auth_breaker_news { AUTH_BREAKER_AS_BEFORE, AUTH_BREAKER_OPENED, AUTH_BREAKER_CLOSED };

/* Whether a call may be made; while it is open that is one a second, and this was it. */
bool auth_breaker_lets(struct auth_breaker *b, double now);

/* A call has ended. failed: a time-out, no connection, a broken answer, a 5xx. */
enum auth_breaker_news auth_breaker_note(struct auth_breaker *b, bool failed, double now);

#endif
