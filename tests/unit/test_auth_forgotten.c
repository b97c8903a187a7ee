/* test_auth_forgotten: an answer to what was asked before is told from one that counts. */
#include "streamer/auth_forgotten.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"

static struct auth_forgotten f;

static void forget(const char *user, const char *topic)
{
	struct control_selector who = {.user_len = strlen(user), .topic_len = strlen(topic)};

	memcpy(who.user, user, who.user_len);
	memcpy(who.topic, topic, who.topic_len);
	auth_forgotten_add(&f, &who);
}

static bool names(uint64_t since, const char *user)
{
	const struct span topics[] = {{"a", 1}, {"r:1", 3}};
	return auth_forgotten_names(&f, since, span_of(user), topics, 2);
}

START_TEST(only_what_was_forgotten_since_then_and_means_them_counts)
{
	ck_assert(!names(0, "42"));
	forget("42", "");
	forget("", "r:*");
	forget("7", "b");
	forget("", "b");
	ck_assert(names(0, "42") && names(1, "42") && !names(2, "42"));
	ck_assert(names(1, NULL) && names(0, NULL) && !names(2, NULL));
	ck_assert(!names(2, "7") && !names(4, "42"));
	auth_forgotten_done(&f);
	memset(&f, 0, sizeof(f));
}
END_TEST

START_TEST(beyond_what_is_kept_anything_may_be_meant)
{
	for (size_t i = 0; i < AUTH_FORGOTTEN_MAX; i++)
		forget("7", "b");
	ck_assert(!names(0, "42"));
	forget("7", "b");
	ck_assert(names(0, "42") && !names(1, "42"));
	forget("42", "a");
	ck_assert(names(1, "42") && names(2, "42") && !names(2, "43") && !names(f.n, "42"));
	auth_forgotten_done(&f);
	memset(&f, 0, sizeof(f));
}
END_TEST

RUN_TESTS("auth_forgotten", only_what_was_forgotten_since_then_and_means_them_counts,
	  beyond_what_is_kept_anything_may_be_meant)
