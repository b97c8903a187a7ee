# Unit tests: common, floor 1. They link nothing but the library under test, which keeps it free of the rest.
EXTRA_DIST += tests/unit/run.h tests/payloads.json
if HAVE_CHECK
common_unit_tests = \
	tests/unit/test_buf \
	tests/unit/test_num \
	tests/unit/test_utf8 \
	tests/unit/test_jsonspan \
	tests/unit/test_jsonspan_walk \
	tests/unit/test_urlenc \
	tests/unit/test_topic \
	tests/unit/test_control \
	tests/unit/test_partition \
	tests/unit/test_cluster_map \
	tests/unit/test_cursor \
	tests/unit/test_event \
	tests/unit/test_keyed_hash \
	tests/unit/test_payloads \
	tests/unit/test_oom
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
tests_unit_test_partition_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_partition_LDADD = $(common_unit_libs)
tests_unit_test_cluster_map_SOURCES = tests/unit/test_cluster_map.c tests/unit/redis_reply.h
tests_unit_test_cluster_map_CPPFLAGS = $(common_unit_cppflags) $(HIREDIS_CFLAGS)
tests_unit_test_cluster_map_LDADD = $(common_unit_libs) $(HIREDIS_LIBS)
tests_unit_test_topic_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_topic_LDADD = $(common_unit_libs)
tests_unit_test_control_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_control_LDADD = $(common_unit_libs)
tests_unit_test_cursor_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_cursor_LDADD = $(common_unit_libs)
tests_unit_test_event_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_event_LDADD = $(common_unit_libs)
tests_unit_test_keyed_hash_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_keyed_hash_LDADD = $(common_unit_libs)
# Readers of the table of payloads and programs that let memory run out name these among their own.
payloads_sources = tests/unit/payloads.c tests/unit/payloads.h
oom_sources = tests/unit/oom.c tests/unit/oom.h
oom_ldflags = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup,--wrap=free

tests_unit_test_payloads_SOURCES = tests/unit/test_payloads.c $(payloads_sources)
tests_unit_test_payloads_CPPFLAGS = $(common_unit_cppflags) $(JSONC_CFLAGS)
tests_unit_test_payloads_LDADD = $(common_unit_libs) $(JSONC_LIBS)
tests_unit_test_oom_SOURCES = tests/unit/test_oom.c $(oom_sources)
tests_unit_test_oom_CPPFLAGS = $(common_unit_cppflags)
tests_unit_test_oom_LDFLAGS = $(oom_ldflags)
tests_unit_test_oom_LDADD = $(common_unit_libs)
endif
