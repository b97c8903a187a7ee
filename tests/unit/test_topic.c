/* test_topic: the grammar of topics, and the names in Redis made of them. */
#include "common/topic.h"

#include "tests/unit/run.h"

START_TEST(exactly_the_documented_characters_make_a_topic)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char more[] = "._:-@/~+=";

	for (int c = 0; c < 256; c++) {
		char name[2] = {'a', (char)c};
		bool is_first = memchr(first, c, sizeof(first) - 1) != NULL;
		bool is_more = is_first || memchr(more, c, sizeof(more) - 1) != NULL;

		ck_assert(topic_char((char)c) == is_more);
		ck_assert(topic_valid(name, 2) == is_more);
		ck_assert(topic_valid(name + 1, 1) == is_first);
	}
}
END_TEST

START_TEST(topic_has_one_to_two_hundred_bytes)
{
	char name[TOPIC_MAX_BYTES + 1];

	memset(name, 'x', sizeof(name));
	ck_assert(!topic_valid(name, 0));
	ck_assert(topic_valid(name, 1));
	ck_assert(topic_valid(name, 200));
	ck_assert(!topic_valid(name, 201));
}
END_TEST

START_TEST(a_bad_character_is_found_at_every_place)
{
	char name[TOPIC_MAX_BYTES];

	memset(name, 'x', sizeof(name));
	for (size_t at = 0; at < sizeof(name); at++) {
		name[at] = '{';
		ck_assert(!topic_valid(name, sizeof(name)));
		name[at] = 'x';
	}
}
END_TEST

START_TEST(only_names_that_begin_with_ours_are_reserved)
{
	ck_assert(topic_reserved("sse:", 4));
	ck_assert(topic_reserved("sse:control", 11));
	ck_assert(!topic_reserved("sse", 3));
	ck_assert(!topic_reserved("sse.x", 5));
	ck_assert(!topic_reserved("SSE:x", 5));
	ck_assert(!topic_reserved("xsse:", 5));
	ck_assert(!topic_reserved("", 0));
}
END_TEST

static struct topic_space space_of(const char *prefix, const char *tag)
{
	struct topic_space space;

	topic_space_init(&space, prefix, tag);
	return space;
}

/* Texts that the three functions give, from prefix and tag. */
static size_t channel_in(const char *prefix, const char *tag, struct span topic, char *out)
{
	struct topic_space space = space_of(prefix, tag);

	return topic_channel(&space, topic, out);
}

static size_t key_in(const char *prefix, const char *tag, const char *name, struct span topic,
		     char *out)
{
	struct topic_space space = space_of(prefix, tag);

	return topic_key(&space, name, topic, out);
}

static struct span topic_in(const char *prefix, const char *tag, struct span channel)
{
	struct topic_space space = space_of(prefix, tag);

	return topic_of_channel(&space, channel);
}

START_TEST(channel_is_the_topic_behind_its_prefix)
{
	char out[TOPIC_KEY_MAX_BYTES];

	ck_assert_uint_eq(channel_in("", "", span_of("comments"), out), 8);
	ck_assert_str_eq(out, "comments");
	ck_assert_uint_eq(channel_in("shop", "", span_of("comments"), out), 13);
	ck_assert_str_eq(out, "shop:comments");
	ck_assert_uint_eq(channel_in("shop", "", (struct span){"commentsX", 8}, out), 13);
	ck_assert_str_eq(out, "shop:comments");
}
END_TEST

START_TEST(topic_comes_back_from_its_own_channel_alone)
{
	static const struct {
		const char *prefix, *channel, *topic;
	} cases[] = {
		{"", "a", "a"},        {"", "p:a", "p:a"},    {"p", "p:a", "a"},
		{"p", "p:p:a", "p:a"}, {"p", "pa", NULL},     {"p", "p", NULL},
		{"p", "q:a", NULL},    {"p", "pp:a", NULL},   {"pp", "p:a", NULL},
		{"p", "", NULL},       {"a:b", "a:b:c", "c"}, {"p", "P:a", NULL},
		{"p", "p:", NULL},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span topic = topic_in(cases[i].prefix, "", span_of(cases[i].channel));

		if (cases[i].topic)
			ck_assert_msg(span_is(topic, cases[i].topic), "case %zu", i);
		else
			ck_assert_msg(topic.at == NULL && topic.len == 0, "case %zu", i);
	}
	ck_assert_ptr_null(topic_in("p", "", (struct span){"p:a", 1}).at);
}
END_TEST

START_TEST(keys_of_ours_carry_prefix_and_sse)
{
	char out[TOPIC_KEY_MAX_BYTES];

	ck_assert_uint_eq(key_in("", "", "log:", span_of("a"), out), 9);
	ck_assert_str_eq(out, "sse:log:a");
	key_in("shop", "", "log:", span_of("a"), out);
	ck_assert_str_eq(out, "shop:sse:log:a");
	key_in("shop", "", "state", (struct span){0}, out);
	ck_assert_str_eq(out, "shop:sse:state");
}
END_TEST

START_TEST(names_of_a_partition_carry_its_tag)
{
	char out[TOPIC_KEY_MAX_BYTES];
	size_t len = channel_in("", "3.17", span_of("a"), out);

	ck_assert_str_eq(out, "sse:{3.17}:a");
	ck_assert(span_is(topic_in("", "3.17", (struct span){out, len}), "a"));
	ck_assert_ptr_null(topic_in("", "3.1", (struct span){out, len}).at);
	channel_in("shop", "3.17", span_of("a"), out);
	ck_assert_str_eq(out, "shop:sse:{3.17}:a");
	key_in("shop", "3.17", "log:", span_of("a"), out);
	ck_assert_str_eq(out, "shop:sse:{3.17}:log:a");
	key_in("", "3.17", "state", (struct span){0}, out);
	ck_assert_str_eq(out, "sse:{3.17}:state");
}
END_TEST

START_TEST(longest_prefix_and_topic_fit)
{
	char out[TOPIC_KEY_MAX_BYTES], prefix[TOPIC_MAX_BYTES + 1], topic[TOPIC_MAX_BYTES];
	struct span back;
	size_t len;

	memset(prefix, 'p', TOPIC_MAX_BYTES);
	prefix[TOPIC_MAX_BYTES] = '\0';
	memset(topic, 't', TOPIC_MAX_BYTES);
	len = key_in(prefix, "", "log:", (struct span){topic, sizeof(topic)}, out);
	ck_assert_uint_eq(len, 200 + 1 + 8 + 200);
	ck_assert_uint_eq(strlen(out), len);
	len = channel_in(prefix, "", (struct span){topic, sizeof(topic)}, out);
	back = topic_in(prefix, "", (struct span){out, len});
	ck_assert(span_equal(back, (struct span){topic, sizeof(topic)}));
	len = key_in(prefix, "1023.99999", "log:", (struct span){topic, sizeof(topic)}, out);
	ck_assert_uint_eq(len, 200 + 1 + 4 + 13 + 4 + 200);
}
END_TEST

START_TEST(a_pattern_is_a_topic_or_a_beginning_of_topics)
{
	static const char *const good[] = {"a", "room:7", "*", "a*", "room:*"};
	static const char *const bad[] = {"", "**", "a**", "*a", "a*b", ":*", " *", "a b"};
	static const struct {
		const char *pattern, *topic;
		bool fits;
	} cases[] = {
		{"a", "a", true},   {"a", "ab", false}, {"a", "", false},    {"a*", "a", true},
		{"a*", "ab", true}, {"a*", "b", false}, {"ab*", "a", false}, {"*", "a", true},
		{"*", "*", true},   {"a*", "a*", true}, {"a*", "ab*", true}, {"ab*", "a*", false},
		{"a*", "*", false}, {"a", "a*", false},
	};

	for (size_t i = 0; i < COUNT_OF(good); i++)
		ck_assert(topic_pattern_valid(span_of(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ck_assert(!topic_pattern_valid(span_of(bad[i])));
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert(topic_pattern_fits(span_of(cases[i].pattern), span_of(cases[i].topic)) ==
			  cases[i].fits);
}
END_TEST

RUN_TESTS("topic", a_pattern_is_a_topic_or_a_beginning_of_topics,
	  exactly_the_documented_characters_make_a_topic, topic_has_one_to_two_hundred_bytes,
	  a_bad_character_is_found_at_every_place, only_names_that_begin_with_ours_are_reserved,
	  channel_is_the_topic_behind_its_prefix, topic_comes_back_from_its_own_channel_alone,
	  keys_of_ours_carry_prefix_and_sse, names_of_a_partition_carry_its_tag,
	  longest_prefix_and_topic_fit)
