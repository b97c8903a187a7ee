/* partition: topics keep their partition, and partitions their slots, for ever. */
#include "common/partition.h"

#include "tests/unit/run.h"

START_TEST(slots_are_those_of_the_cluster_specification)
{
	ck_assert_uint_eq(partition_slot(span_of("123456789")), 0x31c3);
	ck_assert_uint_eq(partition_slot(span_of("")), 0);
	ck_assert_uint_eq(partition_slot(span_of("foo")), 12182);
}
END_TEST

START_TEST(a_topic_stays_where_it_is)
{
	ck_assert_uint_eq(partition_of(span_of("123456789"), 16), 0x31c3 % 16);
	ck_assert_uint_eq(partition_of(span_of("comments"), 1), 0);
	ck_assert_uint_lt(partition_of(span_of("comments"), 1000), 1000);
}
END_TEST

START_TEST(each_partition_has_its_equal_part_of_the_slots)
{
	static const unsigned counts[] = {1, 2, 3, 7, 16, 100, 1000, 1023, 1024};
	char tag[PARTITION_TAG_BYTES];

	for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
		for (unsigned i = 0; i < counts[k]; i++) {
			unsigned slot = partition_tag(i, counts[k], tag);

			ck_assert_uint_eq(slot, partition_slot(span_of(tag)));
			ck_assert_uint_eq(slot * counts[k] / REDIS_SLOTS, i);
		}
	}
	partition_tag(3, 16, tag);
	ck_assert_str_eq(tag, "3.0");
}
END_TEST

RUN_TESTS("partition", slots_are_those_of_the_cluster_specification, a_topic_stays_where_it_is,
	  each_partition_has_its_equal_part_of_the_slots)
