/* test_handle_who: who may publish what, and whose idempotency keys are whose. */
#include "publisher/handle.h"

#include <stdio.h>

#include "publisher/sha256.h"
#include "tests/unit/publish_case.h"
#include "tests/unit/run.h"

START_TEST(tokens_open_the_topics_of_their_line)
{
	static const struct {
		const char *authorization, *topic;
		unsigned status;
		const char *says;
	} cases[] = {
		{"Bearer secret", "anything", 200, "id"},
		{"bearer limited", "a", 200, "id"},
		{"Bearer limited", "b:1", 200, "id"},
		{"Bearer limited", "b", 403, "token cron may not publish to topic b"},
		{NULL, "a", 401, "CGIPassAuth On"},
		{"", "a", 401, "CGIPassAuth On"},
		{"Bearer wrong", "a", 401, "not known"},
		{"Basic secret", "a", 401, "Bearer TOKEN"},
		{"secret", "a", 401, "Bearer TOKEN"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char body[64];
		struct publish_case c;

		case_begin(&c, HANDLE_AUTH_TOKEN);
		case_give(&c, "HTTP_AUTHORIZATION", cases[i].authorization);
		snprintf(body, sizeof(body), "{\"topic\":\"%s\"}", cases[i].topic);
		ck_assert_uint_eq(case_post(&c, JSON, body), cases[i].status);
		ck_assert_msg(case_says(&c, cases[i].says), "%s", c.server.answer.data);
		ck_assert_int_eq(case_says(&c, "\r\nWWW-Authenticate: Bearer\r\n"),
				 cases[i].status == 401);
		ck_assert_uint_eq(c.memory.appends, cases[i].status == 200);
		ck_assert(!case_says(&c, "wrong") && !case_says(&c, "secret") &&
			  !case_says(&c, "limited"));
		case_end(&c);
	}
}
END_TEST

START_TEST(every_topic_of_every_event_must_be_allowed)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_TOKEN);
	case_give(&c, "HTTP_AUTHORIZATION", "Bearer limited");
	ck_assert_uint_eq(case_post(&c, JSON, "[{\"topic\":\"a\"},{\"topics\":[\"b:1\",\"c\"]}]"),
			  403);
	ck_assert(case_says(&c, "topic c"));
	ck_assert_uint_eq(c.memory.appends, 0);
	ck_assert_uint_eq(case_post(&c, FORM, "topic=a,b:1&topic=c"), 403);
	ck_assert_uint_eq(case_post(&c, FORM, "topic=a,b:1"), 200);
	case_end(&c);
}
END_TEST

START_TEST(a_remote_user_may_publish_everywhere_and_nobody_nowhere)
{
	struct publish_case c;

	case_begin(&c, HANDLE_AUTH_REMOTE_USER);
	ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}"), 401);
	case_give(&c, "HTTP_AUTHORIZATION", "Bearer secret");
	ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}"), 401);
	case_give(&c, "REMOTE_USER", "");
	ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}"), 401);
	ck_assert(case_says(&c, "REMOTE_USER"));
	case_give(&c, "REMOTE_USER", "ann");
	ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}"), 200);
	case_end(&c);
}
END_TEST

/* What the log gets as key, for a request by this token with this key in header, else body. */
static const char *key_for(const char *authorization, const char *header, const char *body,
			   char *digest)
{
	static char key[128];
	struct publish_case c;

	case_begin(&c, authorization ? HANDLE_AUTH_TOKEN : HANDLE_AUTH_NONE);
	if (authorization)
		case_give(&c, "HTTP_AUTHORIZATION", authorization);
	if (header)
		case_give(&c, "HTTP_IDEMPOTENCY_KEY", header);
	ck_assert_msg(case_post(&c, JSON, body) == 200, "%s", c.server.answer.data);
	snprintf(key, sizeof(key), "%s", c.memory.key);
	if (digest)
		snprintf(digest, 128, "%s", c.memory.digest);
	case_end(&c);
	return key;
}

START_TEST(header_and_member_are_the_same_key)
{
	char first[128], digest[128], other[128];

	snprintf(first, sizeof(first), "%s", key_for(NULL, "k", "{\"topic\":\"a\"}", digest));
	ck_assert_uint_eq(strlen(first), SHA256_HEX_BYTES);
	ck_assert_uint_eq(strlen(digest), SHA256_HEX_BYTES);
	ck_assert_str_eq(key_for(NULL, NULL, "{\"topic\":\"a\",\"idempotency_key\":\"k\"}", other),
			 first);
	ck_assert_str_ne(other, digest);
	ck_assert_str_eq(key_for(NULL, "k", "{\"topic\":\"a\",\"idempotency_key\":\"k\"}", NULL),
			 first);
	ck_assert_str_eq(key_for(NULL, "k", "[{\"topic\":\"a\"}]", NULL), first);
	ck_assert_str_ne(key_for(NULL, "K", "{\"topic\":\"a\"}", NULL), first);
	key_for(NULL, "k", "{\"topic\":\"a\"}", other);
	ck_assert_str_eq(other, digest);
}
END_TEST

START_TEST(keys_of_different_publishers_never_meet)
{
	char shop[128];

	snprintf(shop, sizeof(shop), "%s",
		 key_for("Bearer secret", "k", "{\"topic\":\"a\"}", NULL));
	ck_assert_str_ne(key_for("Bearer limited", "k", "{\"topic\":\"a\"}", NULL), shop);
	ck_assert_str_ne(key_for(NULL, "k", "{\"topic\":\"a\"}", NULL), shop);
	ck_assert_str_eq(key_for("Bearer secret", "k", "{\"topic\":\"b\"}", NULL), shop);
}
END_TEST

START_TEST(remote_users_have_keys_of_their_own)
{
	char keys[3][128];

	for (size_t i = 0; i < 3; i++) {
		struct publish_case c;

		case_begin(&c, HANDLE_AUTH_REMOTE_USER);
		case_give(&c, "REMOTE_USER", i == 1 ? "bob" : "ann");
		case_give(&c, "HTTP_IDEMPOTENCY_KEY", "k");
		ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}"), 200);
		snprintf(keys[i], sizeof(keys[i]), "%s", c.memory.key);
		case_end(&c);
	}
	ck_assert_str_ne(keys[0], keys[1]);
	ck_assert_str_eq(keys[0], keys[2]);
}
END_TEST

START_TEST(keys_that_contradict_or_are_too_long_are_422)
{
	char longest[DECODE_MAX_KEY + 2];

	for (size_t len = DECODE_MAX_KEY; len <= DECODE_MAX_KEY + 1; len++) {
		struct publish_case c;

		memset(longest, 'k', len);
		longest[len] = '\0';
		case_begin(&c, HANDLE_AUTH_NONE);
		case_give(&c, "HTTP_IDEMPOTENCY_KEY", longest);
		ck_assert_uint_eq(case_post(&c, JSON, "{\"topic\":\"a\"}"),
				  len <= DECODE_MAX_KEY ? 200 : 422);
		ck_assert_uint_eq(
			case_post(&c, JSON, "{\"topic\":\"a\",\"idempotency_key\":\"x\"}"), 422);
		ck_assert(case_says(&c, "differ"));
		case_end(&c);
	}
}
END_TEST

RUN_TESTS("handle_who", tokens_open_the_topics_of_their_line,
	  every_topic_of_every_event_must_be_allowed,
	  a_remote_user_may_publish_everywhere_and_nobody_nowhere,
	  header_and_member_are_the_same_key, keys_of_different_publishers_never_meet,
	  remote_users_have_keys_of_their_own, keys_that_contradict_or_are_too_long_are_422)
