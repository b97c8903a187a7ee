# Unit tests: the core of publish. They link neither libfcgi nor hiredis, which keeps it free of both.
if HAVE_CHECK
publisher_unit_tests = \
	tests/unit/test_response \
	tests/unit/test_sha256 \
	tests/unit/test_access \
	tests/unit/test_decode \
	tests/unit/test_handle \
	tests/unit/test_resp \
	tests/unit/test_publish_oom
check_PROGRAMS += $(publisher_unit_tests)
TESTS += $(publisher_unit_tests)
publisher_unit_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JSONC_CFLAGS)
publisher_unit_libs = publisher/libpublisher.a common/libcommon.a $(CRYPTO_LIBS) $(CHECK_LIBS)

tests_unit_test_response_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_response_LDADD = $(publisher_unit_libs) $(JSONC_LIBS)
tests_unit_test_sha256_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_sha256_LDADD = $(publisher_unit_libs)
tests_unit_test_access_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_access_LDADD = $(publisher_unit_libs)
tests_unit_test_decode_SOURCES = tests/unit/test_decode.c $(payloads_sources)
tests_unit_test_decode_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_decode_LDADD = $(publisher_unit_libs) $(JSONC_LIBS)
tests_unit_test_handle_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_handle_LDADD = $(publisher_unit_libs)
tests_unit_test_resp_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_resp_LDADD = $(publisher_unit_libs)
tests_unit_test_publish_oom_SOURCES = tests/unit/test_publish_oom.c $(oom_sources)
tests_unit_test_publish_oom_LDFLAGS = $(oom_ldflags)
tests_unit_test_publish_oom_CPPFLAGS = $(publisher_unit_cppflags)
tests_unit_test_publish_oom_LDADD = $(publisher_unit_libs)
endif
