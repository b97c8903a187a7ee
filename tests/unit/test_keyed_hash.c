/* test_keyed_hash: the hash depends on its seed, and tables work with it. */
#include "common/keyed_hash.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/run.h"

struct entry {
	char name[8];
	UT_hash_handle hh;
};

START_TEST(two_seeds_are_not_the_same)
{
	ck_assert(keyed_hash_seed() != keyed_hash_seed());
}
END_TEST

START_TEST(same_seed_and_bytes_give_the_same_hash)
{
	ck_assert_uint_eq(keyed_hash(7, "topic", 5), keyed_hash(7, "topicX", 5));
	ck_assert_uint_eq(keyed_hash(7, "", 0), keyed_hash(7, "x", 0));
}
END_TEST

START_TEST(names_that_meet_under_one_seed_part_under_another)
{
	unsigned together = 0, met = 0;

	/* Low bits choose the bucket: collect names that share theirs under seed 1. */
	for (unsigned i = 0; i < 20000; i++) {
		if (keyed_hash(1, &i, sizeof(i)) % 256 != 0)
			continue;
		met++;
		together += keyed_hash(2, &i, sizeof(i)) % 256 == 0;
	}
	ck_assert_uint_gt(met, 40);
	ck_assert_uint_lt(together, met / 4);
}
END_TEST

START_TEST(table_finds_what_was_added_under_its_hash)
{
	struct entry entries[500], *table = NULL, *found;
	uint64_t seed = keyed_hash_seed();
	unsigned hash;

	for (unsigned i = 0; i < COUNT_OF(entries); i++) {
		struct entry *e = &entries[i];

		snprintf(e->name, sizeof(e->name), "t%u", i);
		hash = keyed_hash(seed, e->name, strlen(e->name));
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, table, e->name, (unsigned)strlen(e->name), hash, e);
	}
	for (unsigned i = 0; i < COUNT_OF(entries); i++) {
		size_t len = strlen(entries[i].name);

		hash = keyed_hash(seed, entries[i].name, len);
		HASH_FIND_BYHASHVALUE(hh, table, entries[i].name, (unsigned)len, hash, found);
		ck_assert_ptr_eq(found, &entries[i]);
	}
	hash = keyed_hash(seed, "t500", 4);
	HASH_FIND_BYHASHVALUE(hh, table, "t500", 4U, hash, found);
	ck_assert_ptr_null(found);
	HASH_CLEAR(hh, table);
}
END_TEST

RUN_TESTS("keyed_hash", two_seeds_are_not_the_same, same_seed_and_bytes_give_the_same_hash,
	  names_that_meet_under_one_seed_part_under_another,
	  table_finds_what_was_added_under_its_hash)
