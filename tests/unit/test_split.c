/* test_split: a request cut into partitions has everything of it, once, in its order. */
#include "publisher/split.h"

#include <stdio.h>
#include <string.h>

#include "common/partition.h"
#include "tests/unit/run.h"

enum { MOST_EVENTS = 16, MOST_TOPICS = 64 };

/* A request from words: events apart by blanks, their topics by commas. */
struct wanted {
	char text[256];
	struct span topics[MOST_TOPICS];
	struct publish_log_event events[MOST_EVENTS];
	struct publish_log_request request;
};

static void want(struct wanted *w, const char *words)
{
	size_t n_topics = 0, n = 0;
	char *event, *topic, *rest, *inner;

	*w = (struct wanted){
		.request = {.events = w->events, .key = span_of("k"), .digest = span_of("d")}};
	ck_assert_uint_lt(strlen(words), sizeof(w->text));
	memcpy(w->text, words, strlen(words) + 1);
	for (event = strtok_r(w->text, " ", &rest); event; event = strtok_r(NULL, " ", &rest)) {
		struct publish_log_event *e = &w->events[n++];

		e->parts.head = span_of(event);
		e->topics = &w->topics[n_topics];
		for (topic = strtok_r(event, ",", &inner); topic;
		     topic = strtok_r(NULL, ",", &inner)) {
			w->topics[n_topics++] = span_of(topic);
			e->n_topics++;
		}
	}
	w->request.n = n;
}

/* `A: topics of an event, of the next ...;` for each part, in their order; A is the partition of
 * `a` among two, B the other one. */
static const char *describe(const struct split *s, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->n; i++) {
		const struct split_part *part = &s->parts[i];

		len += (size_t)snprintf(
			out + len, size - len,
			"%c:", part->partition == partition_of(span_of("a"), 2) ? 'A' : 'B');
		for (size_t k = 0; k < part->request.n; k++) {
			for (size_t t = 0; t < part->request.events[k].n_topics; t++)
				len += (size_t)snprintf(out + len, size - len, "%c%.*s",
							t ? ',' : ' ',
							(int)part->request.events[k].topics[t].len,
							part->request.events[k].topics[t].at);
		}
		len += (size_t)snprintf(out + len, size - len, ";");
	}
	return out;
}

/* In two partitions a and c are in one, b and d in the other. */
START_TEST(each_partition_gets_its_events_in_their_order)
{
	static const struct {
		const char *request, *parts;
	} cases[] = {
		{"a", "A: a;"},
		{"b", "B: b;"},
		{"a a c", "A: a a c;"},
		{"a,b", "A: a;B: b;"},
		{"b,a", "B: b;A: a;"},
		{"a,b,c,d", "A: a,c;B: b,d;"},
		{"a b a b", "A: a a;B: b b;"},
		{"b a,b,c d,b c", "B: b b d,b;A: a,c c;"},
	};
	unsigned a = partition_of(span_of("a"), 2), b = partition_of(span_of("b"), 2);

	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(partition_of(span_of("c"), 2), a);
	ck_assert_uint_eq(partition_of(span_of("d"), 2), b);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[256];
		struct wanted w;
		struct split s;

		want(&w, cases[i].request);
		ck_assert_int_eq(split_request(&w.request, 2, &s), 0);
		ck_assert_str_eq(describe(&s, text, sizeof(text)), cases[i].parts);
		split_done(&s);
	}
}
END_TEST

START_TEST(a_part_keeps_message_key_and_digest)
{
	struct wanted w;
	struct split s;

	want(&w, "a,b b");
	ck_assert_int_eq(split_request(&w.request, 2, &s), 0);
	for (size_t i = 0; i < s.n; i++) {
		const struct publish_log_request *r = &s.parts[i].request;

		ck_assert(span_is(r->key, "k") && span_is(r->digest, "d"));
		ck_assert_ptr_eq(r->events[0].parts.head.at, w.events[0].parts.head.at);
	}
	ck_assert_ptr_eq(s.parts[1].request.events[1].parts.head.at, w.events[1].parts.head.at);
	split_done(&s);
}
END_TEST

START_TEST(every_copy_gets_the_id_of_its_partition)
{
	struct event_id of_copies[9] = {{0, 0}};
	struct event_id of_events[][4] = {{{11, 0}, {12, 0}, {13, 0}}, {{21, 0}, {22, 0}}};
	/* copies:                    a   b   c   d   a   b   c   */
	static const uint64_t expected[] = {11, 21, 11, 22, 12, 22, 13};
	struct wanted w;
	struct split s;

	want(&w, "a,b,c d,a,b c");
	ck_assert_int_eq(split_request(&w.request, 2, &s), 0);
	ck_assert_uint_eq(s.n, 2);
	split_place(&s.parts[0], of_events[0], of_copies);
	split_place(&s.parts[1], of_events[1], of_copies);
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		ck_assert_uint_eq(of_copies[i].ms, expected[i]);
	split_done(&s);
}
END_TEST

START_TEST(one_partition_is_the_request_itself)
{
	char text[256];
	struct wanted w;
	struct split s;

	want(&w, "a,b c d,a");
	ck_assert_int_eq(split_request(&w.request, 1, &s), 0);
	ck_assert_str_eq(describe(&s, text, sizeof(text)) + 1, ": a,b c d,a;");
	split_done(&s);
}
END_TEST

/* As large as a request may be, to as many partitions as there may be. */
START_TEST(nothing_of_a_large_request_is_lost)
{
	enum { EVENTS = 1000, TOPICS = 10 };
	static char names[EVENTS * TOPICS][8];
	static struct span topics[EVENTS * TOPICS];
	static struct publish_log_event events[EVENTS];
	static struct event_id of_events[EVENTS], of_copies[EVENTS * TOPICS];
	struct publish_log_request request = {.events = events, .n = EVENTS};
	size_t copies = 0;
	struct split s;

	for (size_t i = 0; i < EVENTS * TOPICS; i++) {
		snprintf(names[i], sizeof(names[i]), "t%zu", i % 3001);
		topics[i] = span_of(names[i]);
	}
	for (size_t i = 0; i < EVENTS; i++)
		events[i] = (struct publish_log_event){.topics = &topics[i * TOPICS],
						       .n_topics = TOPICS};
	ck_assert_int_eq(split_request(&request, PARTITION_MAX, &s), 0);
	for (size_t i = 0; i < s.n; i++) {
		const struct split_part *part = &s.parts[i];

		copies += publish_log_copies(&part->request);
		for (size_t k = 0; k < part->request.n; k++)
			of_events[k] = (struct event_id){part->partition + 1, k};
		split_place(part, of_events, of_copies);
	}
	ck_assert_uint_eq(copies, EVENTS * TOPICS);
	for (size_t i = 0; i < EVENTS * TOPICS; i++)
		ASSERT_QUIETLY(of_copies[i].ms == partition_of(topics[i], PARTITION_MAX) + 1);
	split_done(&s);
}
END_TEST

RUN_TESTS("split", each_partition_gets_its_events_in_their_order,
	  a_part_keeps_message_key_and_digest, every_copy_gets_the_id_of_its_partition,
	  one_partition_is_the_request_itself, nothing_of_a_large_request_is_lost)
