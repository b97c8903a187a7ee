/* run: the main of a check(3) program in one line, RUN_TESTS("module", test, test, …). */
#ifndef TIDINGS_TESTS_UNIT_RUN_H
#define TIDINGS_TESTS_UNIT_RUN_H

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

static inline int run_tests(const char *module, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(module);
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(all,
			  120); /* valgrind and sanitizers are slow; nothing here waits for time */
	for (size_t i = 0; i < n; i++)
		tcase_add_test(all, tests[i]);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define RUN_TESTS(module, ...)                                                                     \
	int main(void)                                                                             \
	{                                                                                          \
		const TTest *const tests[] = {__VA_ARGS__};                                        \
		return run_tests(module, tests, sizeof(tests) / sizeof(tests[0]));                 \
	}

/* ck_assert for loops of many thousand rounds: check writes a note for each ck_assert that holds.
 */
#define ASSERT_QUIETLY(condition)                                                                  \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("must hold: %s", #condition);                                 \
	} while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
