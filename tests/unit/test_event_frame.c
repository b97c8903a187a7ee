/* test_event_frame: of an event's copies each listener of a Cluster gets one, the same whoever
 * looks. */
#include "streamer/event_frame.h"

#include <stdio.h>
#include <string.h>
#include "common/event.h"
#include "common/partition.h"
#include "streamer/frame.h"
#include "tests/unit/run.h"

#define PARTITIONS 16

/* What the copy in that partition names, with commas. */
static void names_are(const char *topics, unsigned partition, unsigned n, const char *expected)
{
	char message[512], names[512] = "";
	struct event_message m;
	struct event_place place = {.partition = partition, .n_partitions = n};
	int len = snprintf(message, sizeof(message),
			   "{\"event\":\"x\",\"data\":1,\"id\":\"3-0\",\"prev\":\"1-0\"%s%s}",
			   *topics ? ",\"topics\":" : "", topics);

	ck_assert_int_eq(event_decode(message, (size_t)len, &m), EVENT_OK);
	struct frame *f = event_frame(&m, m.id, &place);
	ck_assert_ptr_nonnull(f);
	for (const char *at = f->bytes + f->len; at < f->bytes + f->len + f->names_len;
	     at += strlen(at) + 1) {
		strcat(names, at);
		strcat(names, ",");
	}
	ck_assert_str_eq(names, expected);
	ck_assert_uint_eq(f->id.ms, 3);
	frame_unref(f);
	event_message_done(&m);
}

START_TEST(topics_of_several_partitions_are_named_in_their_order)
{
	unsigned b = partition_of(span_of("b"), PARTITIONS);

	ck_assert_uint_ne(partition_of(span_of("a"), PARTITIONS), b);
	names_are("[\"c\",\"a\",\"b\"]", b, PARTITIONS, "c,a,b,");
	names_are("[\"b\",\"a\"]", b, PARTITIONS, "b,a,");
}
END_TEST

START_TEST(an_event_of_one_partition_names_nobody)
{
	unsigned b = partition_of(span_of("b"), PARTITIONS);

	names_are("", b, PARTITIONS, "");
	names_are("[\"b\"]", b, PARTITIONS, "");
	names_are("[\"a\",\"b\",\"c\"]", 0, 1, "");
	names_are("[\"a\",\"b\",\"c\"]", 0, 0, "");
}
END_TEST

START_TEST(what_else_may_stand_in_topics_names_nobody)
{
	unsigned b = partition_of(span_of("b"), PARTITIONS);

	names_are("[]", b, PARTITIONS, "");
	names_are("[1,null,{\"a\":\"b\"},[\"a\"],\"\",\"a\\u0062\",\"a\",\"b\"]", b, PARTITIONS,
		  "a,b,");
	names_are("{\"a\":1}", b, PARTITIONS, "");
	names_are("\"a\"", b, PARTITIONS, "");
}
END_TEST

RUN_TESTS("event_frame", topics_of_several_partitions_are_named_in_their_order,
	  an_event_of_one_partition_names_nobody, what_else_may_stand_in_topics_names_nobody)
