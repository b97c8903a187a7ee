/* auth_breaker: counts failures in a row. What is one, auth_calls.c says. */
#include "streamer/auth_breaker.h"

bool auth_breaker_lets(struct auth_breaker *b, double now)
{
	if (!b->open)
		return true;
	if (now < b->next_try)
		return false;
	b->next_try = now + AUTH_BREAKER_TRY_SECONDS;
	return true;
}

enum auth_breaker_news auth_breaker_note(struct auth_breaker *b, bool failed, double now)
{
	bool was_open = b->open;

	if (!failed) {
		*b = (struct auth_breaker){.open = false};
		return was_open ? AUTH_BREAKER_CLOSED : AUTH_BREAKER_AS_BEFORE;
	}
	if (was_open || ++b->failures < AUTH_BREAKER_FAILURES)
		return AUTH_BREAKER_AS_BEFORE;
	b->open = true;
	b->next_try = now + AUTH_BREAKER_TRY_SECONDS;
	return AUTH_BREAKER_OPENED;
}
