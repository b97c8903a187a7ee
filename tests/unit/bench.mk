# Unit tests: the pieces of the load generator whose word all measurements rest on.
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_bench
TESTS += tests/unit/test_bench
tests_unit_test_bench_SOURCES = tests/unit/test_bench.c $(bench_load_pieces)
tests_unit_test_bench_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_unit_test_bench_LDADD = $(CHECK_LIBS)
endif
