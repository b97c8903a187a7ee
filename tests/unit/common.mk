# Unit tests: common, floor 1. They link nothing but the library under test, which keeps it free of the rest.
EXTRA_DIST += tests/unit/run.h
if HAVE_CHECK
common_unit_tests = \
	tests/unit/test_buf \
	tests/unit/test_num \
	tests/unit/test_utf8 \
	tests/unit/test_jsonspan \
	tests/unit/test_jsonspan_walk \
	tests/unit/test_urlenc \
	tests/unit/test_topic \
	tests/unit/test_cursor \
	tests/unit/test_event \
	tests/unit/test_keyed_hash
check_PROGRAMS += $(common_unit_tests)
TESTS += $(common_unit_tests)
common_unit_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
common_unit_libs = common/libcommon.a $(CHECK_LIBS)

tests_unit_test_buf_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_buf_LDADD = $(common_unit_libs)
tests_unit_test_num_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_num_LDADD = $(common_unit_libs)
tests_unit_test_utf8_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_utf8_LDADD = $(common_unit_libs)
tests_unit_test_jsonspan_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_jsonspan_LDADD = $(common_unit_libs)
tests_unit_test_jsonspan_walk_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_jsonspan_walk_LDADD = $(common_unit_libs)
tests_unit_test_urlenc_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_urlenc_LDADD = $(common_unit_libs)
tests_unit_test_topic_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_topic_LDADD = $(common_unit_libs)
tests_unit_test_cursor_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_cursor_LDADD = $(common_unit_libs)
tests_unit_test_event_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_event_LDADD = $(common_unit_libs)
tests_unit_test_keyed_hash_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_keyed_hash_LDADD = $(common_unit_libs)
endif
