/* test_crew: how many workers a limit of files asks for, and how a total is shared out. */
#include "streamer/crew.h"

#include "tests/unit/run.h"

START_TEST(as_many_workers_as_the_files_of_one_ask_for_with_room_to_spare)
{
	static const struct {
		uint64_t streams, each;
		unsigned workers;
	} cases[] = {
		{100000, 19807, 6},  {100000, 100000, 1}, {100000, UINT64_MAX, 1},
		{100000, 99999, 2},  {100000, 50000, 3},  {1, 1, 1},
		{2, 1, 2},           {10000000, 1, 64},   {10000000, 0, 64},
		{UINT64_MAX, 5, 64},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ck_assert_uint_eq(crew_for_files(cases[i].streams, cases[i].each),
				  cases[i].workers);
}
END_TEST

START_TEST(shares_make_the_total_and_nobody_gets_nothing_of_something)
{
	for (unsigned workers = 1; workers <= 64; workers++)
		for (size_t total = 0; total < 200; total++) {
			size_t sum = 0;
			for (unsigned i = 0; i < workers; i++) {
				size_t share = crew_share(total, workers, i);
				ASSERT_QUIETLY(share > 0 || total == 0);
				ASSERT_QUIETLY(share <= total / workers + 1);
				sum += share;
			}
			ASSERT_QUIETLY(sum == total || (total > 0 && total < workers));
		}
}
END_TEST

RUN_TESTS("crew", as_many_workers_as_the_files_of_one_ask_for_with_room_to_spare,
	  shares_make_the_total_and_nobody_gets_nothing_of_something)
