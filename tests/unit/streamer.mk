# Unit tests: the core of the streamer. They link neither libev nor libcurl nor hiredis, which keeps it free of all three.
if HAVE_CHECK
streamer_unit_tests = \
	tests/unit/test_outq \
	tests/unit/test_hub \
	tests/unit/test_time \
	tests/unit/test_opening \
	tests/unit/test_sse \
	tests/unit/test_http_request
check_PROGRAMS += $(streamer_unit_tests)
TESTS += $(streamer_unit_tests)
streamer_unit_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
streamer_unit_libs = streamer/libstreamer_core.a common/libcommon.a $(JSONC_LIBS) $(CHECK_LIBS)

tests_unit_test_outq_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_outq_LDADD = $(streamer_unit_libs)
tests_unit_test_hub_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_hub_LDADD = $(streamer_unit_libs)
tests_unit_test_time_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_time_LDADD = $(streamer_unit_libs)
tests_unit_test_opening_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_opening_LDADD = $(streamer_unit_libs)
tests_unit_test_sse_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_sse_LDADD = $(streamer_unit_libs)
tests_unit_test_http_request_CPPFLAGS = $(streamer_unit_cppflags)
tests_unit_test_http_request_LDADD = $(streamer_unit_libs)
endif
