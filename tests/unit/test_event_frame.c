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

/* The rivals of the copy on a topic, with commas. */
static void rivals_are(const char *topics, const char *own, unsigned n, const char *expected)
{
	char message[512], rivals[512] = "";
	struct event_message m;
	struct event_place place = {
		.partition = n ? partition_of(span_of(own), n) : 0,
		.n_partitions = n,
		.topic = span_of(own),
	};
	int len = snprintf(message, sizeof(message),
			   "{\"event\":\"x\",\"data\":1,\"id\":\"3-0\",\"prev\":\"1-0\"%s%s}",
			   *topics ? ",\"topics\":" : "", topics);

	ck_assert_int_eq(event_decode(message, (size_t)len, &m), EVENT_OK);
	struct frame *f = event_frame(&m, m.id, &place);
	ck_assert_ptr_nonnull(f);
	for (const char *at = f->bytes + f->len; at < f->bytes + f->len + f->rivals_len;
	     at += strlen(at) + 1) {
		strcat(rivals, at);
		strcat(rivals, ",");
	}
	ck_assert_str_eq(rivals, expected);
	ck_assert_uint_eq(f->id.ms, 3);
	frame_unref(f);
	event_message_done(&m);
}

START_TEST(topics_of_other_partitions_that_stand_before_are_rivals)
{
	/* a, b, c are in partitions of their own (CRC16 modulo 16) */
	ck_assert_uint_ne(partition_of(span_of("a"), PARTITIONS),
			  partition_of(span_of("b"), PARTITIONS));
	ck_assert_uint_ne(partition_of(span_of("b"), PARTITIONS),
			  partition_of(span_of("c"), PARTITIONS));
	ck_assert_uint_ne(partition_of(span_of("a"), PARTITIONS),
			  partition_of(span_of("c"), PARTITIONS));
	rivals_are("[\"a\",\"b\",\"c\"]", "a", PARTITIONS, "");
	rivals_are("[\"a\",\"b\",\"c\"]", "b", PARTITIONS, "a,");
	rivals_are("[\"a\",\"b\",\"c\"]", "c", PARTITIONS, "a,b,");
	rivals_are("", "c", PARTITIONS, "");
}
END_TEST

START_TEST(copies_of_one_partition_have_one_id_and_are_no_rivals)
{
	rivals_are("[\"a\",\"b\",\"c\"]", "c", 1, "");
	rivals_are("[\"a\",\"b\",\"c\"]", "c", 0, "");
}
END_TEST

START_TEST(what_else_may_stand_in_topics_names_nobody)
{
	rivals_are("[]", "c", PARTITIONS, "");
	rivals_are("[1,null,{\"a\":\"b\"},[\"a\"],\"\",\"a\\u0062\",\"a\",\"c\",\"b\"]", "c",
		   PARTITIONS, "a,");
	rivals_are("{\"a\":1}", "c", PARTITIONS, "");
	rivals_are("\"a\"", "c", PARTITIONS, "");
}
END_TEST

RUN_TESTS("event_frame", topics_of_other_partitions_that_stand_before_are_rivals,
	  copies_of_one_partition_have_one_id_and_are_no_rivals,
	  what_else_may_stand_in_topics_names_nobody)
